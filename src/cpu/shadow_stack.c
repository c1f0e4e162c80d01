/* See shadow_stack.h. */
#include "cpu/shadow_stack.h"

/*
 * Not in a hypervisor: it may take a VM exit while an exception is delivered, after which
 * the token of a shadow stack stays busy. Not with AMD-V, where VMRUN and #VMEXIT save
 * and load SSP themselves, which no emulator shows.
 */
static bool has_shadow_stacks(const struct cpuid_snapshot *cpuid)
{
    return (cpuid->leaf_7.ecx & CPUID_7_ECX_SHADOW_STACKS) != 0 &&
           (cpuid->leaf_1.ecx & CPUID_1_ECX_HYPERVISOR) == 0 &&
           (cpuid->leaf_80000001.ecx & CPUID_80000001_ECX_SVM) == 0;
}

/*
 * A retpoline returns to an address that no call has pushed. Enhanced IBRS keeps a
 * guest's branches from predicting Hymir's, and BHI_DIS_S their history; without the
 * latter, retpolines prevent more than shadow stacks do.
 */
bool shadow_stack_is_wanted(const struct cpuid_snapshot *cpuid,
                            uint64_t arch_capabilities, enum mitigations mitigations)
{
    bool has_no_bhi = (cpuid->leaf_7_2.edx & CPUID_7_2_EDX_BHI_CTRL) != 0 ||
                      (arch_capabilities & ARCH_CAPABILITIES_BHI_NO) != 0;
    bool is_isolated =
        has_no_bhi && (arch_capabilities & ARCH_CAPABILITIES_IBRS_ALL) != 0;

    return has_shadow_stacks(cpuid) && (mitigations == MITIGATIONS_OFF || is_isolated);
}

/* Writes a free token at the top of a shadow stack, and returns its address. */
static uint64_t write_token(uint64_t *stack, size_t size)
{
    uint64_t *token = &stack[size / sizeof(*stack) - 1];

    *token = (uintptr_t)token;
    return (uintptr_t)token;
}

void shadow_stack_prepare(struct cpu *cpu, struct shadow_stacks *stacks)
{
    cpu->main_ssp = write_token(stacks->main, sizeof(stacks->main));
    cpu->interrupt_ssp[INTERRUPT_STACK_DOUBLE_FAULT] =
        write_token(stacks->double_fault, sizeof(stacks->double_fault));
    cpu->interrupt_ssp[INTERRUPT_STACK_MACHINE_CHECK] =
        write_token(stacks->machine_check, sizeof(stacks->machine_check));
    cpu->interrupt_ssp[INTERRUPT_STACK_NMI] =
        write_token(stacks->nmi, sizeof(stacks->nmi));
}

/* Trusts no CPU to be like the boot CPU. */
bool shadow_stack_start(const struct cpu *cpu)
{
    uint32_t features = cpuid_read_existing(CPUID_LEAF_STRUCTURED_FEATURES, 0, cpuid).ecx;

    if (cpu->main_ssp == 0 || (features & CPUID_7_ECX_SHADOW_STACKS) == 0)
        return false;
    wrmsr(MSR_IA32_S_CET, S_CET_SHADOW_STACK);
    wrmsr(MSR_IA32_PL0_SSP, cpu->main_ssp);
    wrmsr(MSR_IA32_INTERRUPT_SSP_TABLE_ADDR, (uintptr_t)cpu->interrupt_ssp);
    return true;
}

/*
 * A frame at the top of a shadow stack of its own is below the token of that. IRET frees
 * the token if it is busy, except in Bochs 2.7: docs/EMULATORS.md. So it is freed here.
 *
 * Restores IA32_S_CET: an NMI or a machine check may interrupt another call of this.
 */
void shadow_stack_prepare_return(struct shadow_frame *frame, uint64_t continuation)
{
    uint64_t *above   = (uint64_t *)(frame + 1);
    bool has_switched = frame->previous_ssp != (uintptr_t)above;

    if (continuation == 0 && !has_switched)
        return;
    uint64_t s_cet = rdmsr(MSR_IA32_S_CET);
    wrmsr(MSR_IA32_S_CET, s_cet | S_CET_WRITE_SHADOW_STACK);
    if (continuation != 0)
        shadow_stack_write(&frame->rip, continuation);
    if (has_switched)
        shadow_stack_write(above, (uintptr_t)above);
    wrmsr(MSR_IA32_S_CET, s_cet);
}
