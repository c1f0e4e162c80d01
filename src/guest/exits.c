/* See vm.h: the handlers of exits. */
#include "guest/fetch.h"
#include "guest/hypercall.h"
#include "guest/string_io.h"
#include "guest/vm.h"
#include "lib/bits.h"
#include "x86/exceptions.h"
#include "x86/msr.h"

static enum exit_outcome reject_msr(struct vcpu *vcpu)
{
    vcpu->vm->ignored_accesses++;
    return vcpu_inject_exception(vcpu, VECTOR_GP, 0);
}

static inline enum exit_outcome return_cpuid(uint64_t *r,
                                             const struct cpuid_result *values)
{
    r[REGISTER_RAX] = values->eax;
    r[REGISTER_RBX] = values->ebx;
    r[REGISTER_RCX] = values->ecx;
    r[REGISTER_RDX] = values->edx;
    return EXIT_NEXT;
}

static __attribute__((noinline)) enum exit_outcome handle_other_cpuid(struct vcpu *vcpu)
{
    uint64_t *r                    = vcpu->run.registers.r;
    const struct cpuid_state state = {
        .cr4  = vcpu->backend->read_register(vcpu, VCPU_CR4),
        .xcr0 = vcpu->backend->read_register(vcpu, VCPU_XCR0),
    };
    struct cpuid_result values = cpuid_policy_answer(
        &vcpu->vm->cpuid, (uint32_t)r[REGISTER_RAX], (uint32_t)r[REGISTER_RCX], &state);
    return return_cpuid(r, &values);
}

/* Only CR4.OSXSAVE changes the values of leaf 1. */
static __attribute__((noinline)) enum exit_outcome handle_features(struct vcpu *vcpu)
{
    uint64_t cr4 = vcpu->backend->read_register(vcpu, VCPU_CR4);

    return return_cpuid(vcpu->run.registers.r,
                        cpuid_policy_features(&vcpu->vm->cpuid, cr4));
}

/* Most leaves have constant values, which are looked up. */
static enum exit_outcome handle_cpuid(struct vcpu *vcpu)
{
    uint64_t *r                      = vcpu->run.registers.r;
    uint32_t leaf                    = (uint32_t)r[REGISTER_RAX];
    const struct cpuid_result *plain = cpuid_policy_find(&vcpu->vm->cpuid, leaf);

    if (plain != NULL)
        return return_cpuid(r, plain);
    if (leaf == CPUID_LEAF_FEATURES)
        return handle_features(vcpu);
    return handle_other_cpuid(vcpu);
}

/* MSRs that are registers of the vCPU, with the bits that a guest may set. */
static const struct register_msr {
    uint32_t msr;
    enum vcpu_register which;
    uint64_t writable;
} register_msrs[] = {
    {MSR_IA32_TIME_STAMP_COUNTER, VCPU_TSC, UINT64_MAX},
    {MSR_IA32_DEBUGCTL, VCPU_DEBUGCTL, DEBUGCTL_LBR | DEBUGCTL_BTF},
};

/* Returns the row of the MSR in RCX, or NULL. */
static const struct register_msr *find_register_msr(const struct vcpu *vcpu)
{
    for (size_t i = 0; i < ARRAY_SIZE(register_msrs); i++) {
        if (register_msrs[i].msr == (uint32_t)vcpu->run.registers.r[REGISTER_RCX])
            return &register_msrs[i];
    }
    return NULL;
}

/* Handles MSRs that have no row in the policy. */
static __attribute__((noinline)) enum exit_outcome read_other_msr(struct vcpu *vcpu)
{
    const struct register_msr *row = find_register_msr(vcpu);

    if (row == NULL)
        return reject_msr(vcpu);
    vcpu_set_edx_eax(vcpu, vcpu->backend->read_register(vcpu, row->which));
    return EXIT_NEXT;
}

static __attribute__((noinline)) enum exit_outcome write_other_msr(struct vcpu *vcpu,
                                                                   uint64_t value)
{
    const struct register_msr *row = find_register_msr(vcpu);

    if (row == NULL || (value & ~row->writable) != 0)
        return reject_msr(vcpu);
    vcpu->backend->write_register(vcpu, row->which, value);
    return EXIT_NEXT;
}

static enum exit_outcome handle_read_msr(struct vcpu *vcpu)
{
    uint32_t msr              = (uint32_t)vcpu->run.registers.r[REGISTER_RCX];
    const struct msr_row *row = msr_policy_find(&vcpu->vm->msrs, msr);

    vcpu->newest->detail = msr;
    if (row == NULL)
        return read_other_msr(vcpu);
    vcpu_set_edx_eax(vcpu, row->value);
    return EXIT_NEXT;
}

static enum exit_outcome handle_write_msr(struct vcpu *vcpu)
{
    const uint64_t *r   = vcpu->run.registers.r;
    uint64_t value      = vcpu_edx_eax(vcpu);
    uint32_t msr        = (uint32_t)r[REGISTER_RCX];
    struct msr_row *row = msr_policy_find(&vcpu->vm->msrs, msr);

    vcpu->newest->detail = msr;
    if (row == NULL)
        return write_other_msr(vcpu, value);
    return msr_row_write(row, value) ? EXIT_NEXT : reject_msr(vcpu);
}

static enum exit_outcome handle_memory(struct vcpu *vcpu,
                                       const struct memory_access *access)
{
    static const char *const names[] = {"read", "write", "execution"};
    _Static_assert(ARRAY_SIZE(names) == MEMORY_FETCH + 1, "enum memory_access_kind");

    return vcpu_end_abnormally(
        vcpu, "%s at guest-physical 0x%lx, beyond guest memory (%lu MiB), RIP 0x%lx",
        names[access->kind], access->address.value, vcpu->vm->memory.size >> 20,
        vcpu->backend->read_register(vcpu, VCPU_RIP));
}

static uint8_t acknowledge_interrupt(struct vcpu *vcpu)
{
    return pic_acknowledge(&vcpu->vm->pic);
}

/* Moves typed bytes to the UART until it is full. */
static __attribute__((noinline)) void receive_input(struct vm *vm)
{
    uint8_t byte;

    while (uart_room(&vm->uart) > 0 && byte_queue_take(&vm->input, &byte))
        uart_receive(&vm->uart, byte);
}

/* Waits until the request to pause ends, or one to stop arrives. */
static __attribute__((noinline)) void wait_while_paused(struct vcpu *vcpu)
{
    const struct backend *backend = vcpu->backend;
    struct device_clock *clock    = &vcpu->vm->clock;
    uint64_t tsc                  = backend->read_register(vcpu, VCPU_TSC);
    uint64_t since                = clock->read();

    while (atomic_load(&vcpu->vm->is_to_pause) && !atomic_load(&vcpu->vm->is_to_stop))
        vcpu->vm->environment.wait_for_interrupt();
    clock->start += clock->read() - since;
    backend->write_register(vcpu, VCPU_TSC, tsc);
    if (clock->earliest != TICKS_NEVER)
        clock->alarm(clock->context, clock->earliest);
}

static void handle_alarm(struct vcpu *vcpu)
{
    device_clock_run(&vcpu->vm->clock);
}

static enum exit_outcome handle_requests(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;

    if (atomic_load(&vm->is_to_pause))
        wait_while_paused(vcpu);
    if (atomic_load(&vm->is_to_stop))
        return vcpu_end(vcpu, "%s at the console",
                        atomic_load(&vm->is_to_restart) ? "reset" : "stopped");
    if (byte_queue_length(&vm->input) > 0)
        receive_input(vm);
    return EXIT_RESUME;
}

static bool can_wake(struct vcpu *vcpu)
{
    return pic_can_interrupt(&vcpu->vm->pic);
}

static void *find_ram(struct vcpu *vcpu, gpa_t address, uint64_t size)
{
    return guest_memory_pointer(&vcpu->vm->memory, address, size);
}

const struct exit_handlers vm_exit_handlers = {
    .cpuid          = handle_cpuid,
    .read_msr       = handle_read_msr,
    .write_msr      = handle_write_msr,
    .port_read      = vm_port_read,
    .port_write     = vm_port_write,
    .string_io      = string_io_handle,
    .hypercall      = hypercall_handle,
    .take_interrupt = acknowledge_interrupt,
    .alarm          = handle_alarm,
    .interrupted    = handle_requests,
    .can_wake       = can_wake,
    .memory         = handle_memory,
    .fetch          = instruction_fetch,
    .ram            = find_ram,
};
