/* See vm.h: the handlers of exits. */
#include "guest/device_memory.h"
#include "guest/fetch.h"
#include "guest/hypercall.h"
#include "guest/string_io.h"
#include "guest/vm.h"
#include "lib/bits.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"
#include "x86/msr.h"

static __attribute__((noinline)) enum exit_outcome reject_msr(struct vcpu *vcpu)
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
    struct cpuid_result values =
        cpuid_policy_answer(&vm_cpu_of(vcpu)->cpuid, (uint32_t)r[REGISTER_RAX],
                            (uint32_t)r[REGISTER_RCX], &state);
    return return_cpuid(r, &values);
}

/* Only CR4.OSXSAVE changes the values of leaf 1 without another exit. */
static __attribute__((noinline)) enum exit_outcome handle_features(struct vcpu *vcpu)
{
    uint64_t cr4 = vcpu->backend->read_register(vcpu, VCPU_CR4);

    return return_cpuid(vcpu->run.registers.r,
                        cpuid_policy_features(&vm_cpu_of(vcpu)->cpuid, cr4));
}

/* Most leaves have constant values, which are looked up. */
static enum exit_outcome handle_cpuid(struct vcpu *vcpu)
{
    uint64_t *r                      = vcpu->run.registers.r;
    uint32_t leaf                    = (uint32_t)r[REGISTER_RAX];
    const struct cpuid_result *plain = cpuid_policy_find(&vm_cpu_of(vcpu)->cpuid, leaf);

    if (plain != NULL)
        return return_cpuid(r, plain);
    if (leaf == CPUID_LEAF_FEATURES)
        return handle_features(vcpu);
    return handle_other_cpuid(vcpu);
}

/* An MSR that is a register of the vCPU. */
struct register_msr {
    enum vcpu_register which;
    uint64_t writable; /* the bits that the guest may set; 0: it has no such MSR */
};

/* Returns the MSR in RCX. */
static struct register_msr find_register_msr(struct vcpu *vcpu)
{
    const struct cpuid_answers *cpuid = &vm_cpu_of(vcpu)->cpuid;

    switch ((uint32_t)vcpu->run.registers.r[REGISTER_RCX]) {
    case MSR_IA32_TIME_STAMP_COUNTER:
        return (struct register_msr){VCPU_TSC, UINT64_MAX};
    case MSR_IA32_DEBUGCTL:
        return (struct register_msr){VCPU_DEBUGCTL, DEBUGCTL_LBR | DEBUGCTL_BTF};
    case MSR_IA32_SPEC_CTRL:
        return (struct register_msr){VCPU_SPEC_CTRL, cpuid->spec_ctrl};
    case MSR_VIRT_SPEC_CTRL:
        return (struct register_msr){VCPU_VIRT_SPEC_CTRL, cpuid->virt_spec_ctrl};
    default:
        return (struct register_msr){0};
    }
}

/* Handles MSRs that have no row in the policy. */
static __attribute__((noinline)) enum exit_outcome read_other_msr(struct vcpu *vcpu)
{
    const struct register_msr found = find_register_msr(vcpu);

    if (found.writable == 0)
        return reject_msr(vcpu);
    vcpu_set_edx_eax(vcpu, vcpu->backend->read_register(vcpu, found.which));
    return EXIT_NEXT;
}

static __attribute__((noinline)) enum exit_outcome write_other_msr(struct vcpu *vcpu,
                                                                   uint64_t value)
{
    const struct register_msr found = find_register_msr(vcpu);
    uint32_t msr                    = (uint32_t)vcpu->run.registers.r[REGISTER_RCX];

    /* Before 6.8, Linux switches KVM's clock off at a restart even if it has none. */
    if (msr == MSR_KVM_SYSTEM_TIME && value == 0 && vcpu->vm->has_pv)
        return EXIT_NEXT;
    if (found.writable == 0 || (value & ~found.writable) != 0)
        return reject_msr(vcpu);
    vcpu->backend->write_register(vcpu, found.which, value);
    if (found.which == VCPU_TSC)
        local_apic_tsc_changed(&vm_cpu_of(vcpu)->apic);
    return EXIT_NEXT;
}

static __attribute__((noinline)) enum exit_outcome read_apic_msr(struct vcpu *vcpu,
                                                                 uint32_t msr)
{
    uint64_t value;

    if (!local_apic_read_msr(&vm_cpu_of(vcpu)->apic, msr, &value))
        return vcpu_inject_exception(vcpu, VECTOR_GP, 0);
    vcpu_set_edx_eax(vcpu, value);
    return EXIT_NEXT;
}

static __attribute__((noinline)) enum exit_outcome
write_apic_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
    struct vm_cpu *cpu = vm_cpu_of(vcpu);

    if (!local_apic_write_msr(&cpu->apic, msr, value))
        return vcpu_inject_exception(vcpu, VECTOR_GP, 0);
    if (msr == MSR_IA32_APIC_BASE)
        cpuid_policy_set_apic(&cpu->cpuid, local_apic_is_enabled(&cpu->apic));
    return EXIT_NEXT;
}

static enum exit_outcome handle_read_msr(struct vcpu *vcpu)
{
    uint32_t msr = (uint32_t)vcpu->run.registers.r[REGISTER_RCX];

    vcpu->newest->detail = msr;
    if (msr == MSR_IA32_APIC_BASE) { /* local_apic_read_msr takes longer */
        vcpu_set_edx_eax(vcpu, vm_cpu_of(vcpu)->apic.base);
        return EXIT_NEXT;
    }
    if (local_apic_has_msr(msr))
        return read_apic_msr(vcpu, msr);
    const struct msr_row *row = msr_policy_find(&vm_cpu_of(vcpu)->msrs, msr);
    if (row == NULL)
        return read_other_msr(vcpu);
    vcpu_set_edx_eax(vcpu, row->value);
    return EXIT_NEXT;
}

static enum exit_outcome handle_write_msr(struct vcpu *vcpu)
{
    uint64_t value = vcpu_edx_eax(vcpu);
    uint32_t msr   = (uint32_t)vcpu->run.registers.r[REGISTER_RCX];

    vcpu->newest->detail = msr;
    if (local_apic_has_msr(msr))
        return write_apic_msr(vcpu, msr, value);
    struct msr_row *row = msr_policy_find(&vm_cpu_of(vcpu)->msrs, msr);
    if (row == NULL)
        return write_other_msr(vcpu, value);
    return msr_row_write(row, value) ? EXIT_NEXT : reject_msr(vcpu);
}

static enum exit_outcome handle_memory(struct vcpu *vcpu,
                                       const struct memory_access *access)
{
    static const char *const names[] = {"read", "write", "execution"};
    _Static_assert(ARRAY_SIZE(names) == MEMORY_FETCH + 1, "enum memory_access_kind");

    if (access->is_by_instruction)
        return device_memory_handle(vcpu, access);
    return vcpu_end_abnormally(
        vcpu, "%s at guest-physical 0x%lx, beyond guest memory (%lu MiB), RIP 0x%lx",
        names[access->kind], access->address.value, vcpu->vm->memory.size >> 20,
        vcpu->backend->read_register(vcpu, VCPU_RIP));
}

/*
 * Removes a page that was split from the TLBs of the VM's CPUs. The others need not be
 * waited for: theirs map the same memory.
 */
static void invalidate_memory(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;

    vcpu->backend->invalidate_memory(vcpu);
    for (size_t i = 0; i < vm->cpu_count; i++) {
        if (vm->cpu[i] == vm_cpu_of(vcpu))
            continue;
        atomic_store(&vm->cpu[i]->has_old_pages, true);
        vm_cpu_kick(vm->cpu[i]);
    }
}

/* Splits the large page in which code is executed for the first time. */
static enum exit_outcome allow_execution(struct vcpu *vcpu, gpa_t address)
{
    struct vm *vm       = vcpu->vm;
    unsigned int ticket = vm_lock(vm);
    enum status status =
        nested_paging_allow_execution(vcpu->backend->nested_format, &vm->tables, address);

    vm_unlock(vm, ticket);
    if (status != STATUS_OK)
        return vcpu_end_abnormally(vcpu, "execution at guest-physical 0x%lx refused",
                                   address.value);
    invalidate_memory(vcpu);
    return EXIT_RESUME;
}

static uint64_t read_cr8(struct vcpu *vcpu)
{
    return local_apic_read_cr8(&vm_cpu_of(vcpu)->apic);
}

static enum exit_outcome write_cr8(struct vcpu *vcpu, uint64_t value)
{
    if (value > CR8_MAX)
        return vcpu_inject_exception(vcpu, VECTOR_GP, 0);
    local_apic_write_cr8(&vm_cpu_of(vcpu)->apic, value);
    return EXIT_NEXT;
}

static void handle_tpr_change(struct vcpu *vcpu)
{
    local_apic_tpr_changed(&vm_cpu_of(vcpu)->apic);
}

static void handle_apic_write(struct vcpu *vcpu, uint32_t offset)
{
    local_apic_written(&vm_cpu_of(vcpu)->apic, offset);
}

static uint8_t acknowledge_interrupt(struct vcpu *vcpu)
{
    struct vm *vm = vcpu->vm;
    int vector    = local_apic_acknowledge(&vm_cpu_of(vcpu)->apic);

    if (vector != LOCAL_APIC_EXTINT && !io_apic_is_awaiting(&vm->io_apic))
        return (uint8_t)vector;
    unsigned int ticket = vm_lock(vm);
    if (vector == LOCAL_APIC_EXTINT)
        vector = pic_acknowledge(&vm->pic);
    else
        io_apic_interrupt_taken(&vm->io_apic, (uint8_t)vector);
    vm_unlock(vm, ticket);
    return (uint8_t)vector;
}

static void *find_ram(struct vcpu *vcpu, gpa_t address, uint64_t size)
{
    return guest_memory_pointer(&vcpu->vm->memory, address, size);
}

const struct exit_handlers vm_exit_handlers = {
    .cpuid          = handle_cpuid,
    .read_msr       = handle_read_msr,
    .write_msr      = handle_write_msr,
    .string_io      = string_io_handle,
    .hypercall      = hypercall_handle,
    .take_interrupt = acknowledge_interrupt,
    .alarm          = vm_cpu_handle_alarm,
    .interrupted    = vm_cpu_handle_requests,
    .can_wake       = vm_cpu_can_wake,
    .read_cr8       = read_cr8,
    .write_cr8      = write_cr8,
    .memory         = handle_memory,
    .execute_ram    = allow_execution,
    .fetch          = instruction_fetch,
    .ram            = find_ram,
    .tpr_changed    = handle_tpr_change,
    .apic_written   = handle_apic_write,
};
