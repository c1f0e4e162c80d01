/* See inherited_state.h. */
#include "cpu/inherited_state.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "lib/log.h"
#include "x86/msr.h"

static void clear_vmxe(const struct cpu *cpu)
{
    uint64_t cr4 = read_cr4();

    if ((cr4 & CR4_VMXE) != 0 && write_cr4_safe(cr4 & ~(uint64_t)CR4_VMXE) == FAULT_NONE)
        log_warning("cpu %u: CR4.VMXE was set though the processor was not in VMX "
                    "operation; cleared",
                    cpu->index);
}

static void clear_svme(const struct cpu *cpu)
{
    uint64_t efer = rdmsr(MSR_IA32_EFER);

    if ((efer & EFER_SVME) == 0)
        return;
    (void)stgi_safe();
    if (wrmsr_safe(MSR_IA32_EFER, efer & ~EFER_SVME) == FAULT_NONE)
        log_warning("cpu %u: EFER.SVME was set; cleared", cpu->index);
}

static void clear_cpuid_limit(struct cpu *cpu)
{
    const struct cpuid_snapshot found = {.leaf_0 = cpuid(CPUID_LEAF_BASIC, 0)};

    if (!cpuid_may_be_limited(&found))
        return;
    struct msr_reading misc_enable = msr_read_safe(MSR_IA32_MISC_ENABLE);
    if ((misc_enable.value & MISC_ENABLE_LIMIT_CPUID) == 0 ||
        wrmsr_safe(MSR_IA32_MISC_ENABLE, misc_enable.value & ~MISC_ENABLE_LIMIT_CPUID) !=
            FAULT_NONE)
        return;
    cpu->had_cpuid_limit = true;
    log_warning("cpu %u: firmware limits CPUID to leaf %u; Hymir removed the limit "
                "(IA32_MISC_ENABLE[22])",
                cpu->index, found.leaf_0.eax);
}

void inherited_state_clear(struct cpu *cpu)
{
    clear_vmxe(cpu);
    clear_svme(cpu);
    clear_cpuid_limit(cpu);
}
