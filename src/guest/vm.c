/* See vm.h. */
#include "guest/vm.h"

#include "guest/load/low_memory.h"
#include "guest/smbios_tables.h"
#include "lib/log.h"

void vm_init(struct vm *vm, const struct backend *backend,
             const struct vm_environment *environment)
{
    static uint16_t last_vpid;

    vm->environment = *environment;
    vm->input  = (struct byte_queue){.bytes = vm->input_bytes, .size = VM_INPUT_SIZE};
    vm->output = (struct byte_queue){.bytes = vm->output_bytes, .size = VM_OUTPUT_SIZE};
    cpuid_policy_init(&vm->cpuid, backend->cpuid,
                      environment->is_clock_exact ? environment->clock_hz : 0,
                      backend->read_cpuid);
    vm->vcpu.vm       = vm;
    vm->vcpu.backend  = backend;
    vm->vcpu.handlers = &vm_exit_handlers;
    vm->vcpu.vpid     = ++last_vpid;
    backend->init(&vm->vcpu, &vm->plan);
}

enum status vm_map_memory(struct vm *vm)
{
    const struct nested_format *format = vm->vcpu.backend->nested_format;
    enum status status                 = STATUS_OK;

    for (size_t i = 0; i < vm->memory.piece_count && status == STATUS_OK; i++) {
        const struct guest_memory_piece *piece = &vm->memory.piece[i];
        status = nested_paging_map(format, &vm->tables, gpa(piece->start), piece->host,
                                   piece->size);
    }
    vm->plan.memory_root = hpa_of(vm->tables.pages);
    return status == STATUS_OK ? nested_paging_map_ones(format, &vm->tables) : status;
}

enum status vm_reset(struct vm *vm)
{
    msr_policy_reset(&vm->msrs, vm->vcpu.backend->msrs);
    vm->ignored_accesses = 0;
    atomic_store(&vm->is_to_stop, false);
    atomic_store(&vm->is_to_restart, false);
    atomic_store(&vm->is_to_pause, false);
    byte_queue_clear(&vm->input);
    atomic_store(&vm->input_lost, 0);
    vcpu_reset(&vm->vcpu, &vm->start);
    return vm_add_devices(vm);
}

bool vm_load(struct vm *vm, uint64_t time, struct text *problem)
{
    rtc_set_time(&vm->rtc, time);
    low_memory_write(&vm->memory, time);
    smbios_tables_write(&vm->memory, vm->name);
    return image_load(&vm->image, &vm->memory, &vm->start, &vm->kind, problem);
}

void vm_run(struct vm *vm)
{
    vm->clock.start = vm->clock.read();
    if (atomic_load(&vm->is_to_stop)) {
        vcpu_end(&vm->vcpu, "stopped at the console");
        return;
    }
    vm->vcpu.backend->run(&vm->vcpu);
}

void vm_kick(const struct vm *vm)
{
    if (vm->environment.interrupt_cpu(vm->vcpu.id) != STATUS_OK)
        log_error("vm %s: cannot interrupt cpu %u", vm->name, vm->vcpu.id);
}

void vm_type(struct vm *vm, uint8_t byte)
{
    if (byte_queue_room(&vm->input) == 0)
        atomic_fetch_add(&vm->input_lost, 1);
    else
        byte_queue_put(&vm->input, byte);
}

void vm_request_stop(struct vm *vm, bool is_to_restart)
{
    atomic_store(&vm->is_to_restart, is_to_restart);
    atomic_store(&vm->is_to_stop, true);
    vm_kick(vm);
}

void vm_request_pause(struct vm *vm, bool is_to_pause)
{
    atomic_store(&vm->is_to_pause, is_to_pause);
    vm_kick(vm);
}

void vm_log_stats(const struct vm *vm)
{
    for (uint32_t i = 0; i < vm->vcpu.row_count; i++) {
        /* Volatile: a reset on the VM's CPU may clear the count meanwhile. */
        const volatile struct exit_row *row = &vm->vcpu.row[i];
        uint64_t exits                      = row->exits;
        if (exits > 0)
            log_plain("hymir: vm %s: %-24s %10lu exits, %8lu ticks each, longest %lu",
                      vm->name, vm->vcpu.backend->exit_name(i), exits, row->ticks / exits,
                      row->longest);
    }
    log_plain("hymir: vm %s: %lu accesses to unemulated ports and MSRs", vm->name,
              vm->ignored_accesses);
    uint64_t lost = atomic_load(&vm->input_lost) + vm->uart.lost;
    if (lost > 0)
        log_plain("hymir: vm %s: %lu typed bytes lost before the guest read them",
                  vm->name, lost);
}

void vm_log_exits(const struct vm *vm, bool is_handling)
{
    const struct exit_record *record = vm->vcpu.newest;

    for (unsigned int age = TRACE_RECORDS; age-- > 0;) {
        TEXT_DECLARE(description, LOG_LINE_SIZE);
        record = record->next;
        if (record->reason == TRACE_RECORD_UNUSED)
            continue;
        if (age > 0 || !is_handling)
            text_append(&description, " at 0x%lx", record->rip);
        text_append(&description, ", tsc 0x%08x: ", record->start);
        vm->vcpu.backend->describe_exit(record, &description);
        log_plain("hymir: vm %s: exit -%u%s", vm->name, age, description.buffer);
    }
}
