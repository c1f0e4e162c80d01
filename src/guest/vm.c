/* See vm.h. */
#include "guest/vm.h"

#include "lib/bits.h"
#include "lib/log.h"

static enum status map_memory(struct vm *vm, const struct backend *backend)
{
    for (size_t i = 0; i < vm->memory.piece_count; i++) {
        const struct guest_memory_piece *piece = &vm->memory.piece[i];
        enum status status = backend->map_memory(&vm->plan.memory_root, gpa(piece->start),
                                                 piece->host, piece->size);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status vm_init(struct vm *vm, const struct backend *backend, uint64_t clock_hz,
                    uart_output *output)
{
    static uint16_t last_vpid;

    enum status status = map_memory(vm, backend);
    if (status != STATUS_OK)
        return status;
    vm->plan.start            = &vm->start;
    vm->plan.passed_msrs      = msr_passed;
    vm->plan.passed_msr_count = msr_passed_count;
    cpuid_policy_make(&vm->cpuid, backend->read_cpuid);
    msr_policy_reset(&vm->msrs);
    vm->vcpu.vm       = vm;
    vm->vcpu.backend  = backend;
    vm->vcpu.handlers = &vm_exit_handlers;
    status            = vm_add_devices(vm, clock_hz, output);
    if (status != STATUS_OK)
        return status;
    vcpu_forget_exits(&vm->vcpu);
    vm->vcpu.vpid = ++last_vpid;
    return backend->create(&vm->vcpu, &vm->plan);
}

void vm_run(struct vm *vm)
{
    vm->clock.start = vm->vcpu.backend->clock();
    vm->vcpu.backend->run(&vm->vcpu);
    uart_flush(&vm->uart);
}

void vm_log_exits(const struct vm *vm, bool is_answering)
{
    const struct exit_record *record = vm->vcpu.newest;

    for (unsigned int age = EXIT_RECORDS; age-- > 0;) {
        TEXT_DECLARE(words, LOG_LINE_SIZE);
        record = record->next;
        if (record->reason == EXIT_RECORD_NONE)
            continue;
        if (age > 0 || !is_answering)
            text_append(&words, " at 0x%lx", record->rip);
        text_append(&words, ", tsc 0x%08x: ", record->start);
        vm->vcpu.backend->describe_exit(record, &words);
        log_plain("hymir: vm %s: exit -%u%s", vm->name, age, words.buffer);
    }
}
