/* See inherited_state.h. */
#include "cpu/inherited_state.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "lib/log.h"
#include "x86/msr.h"

/* Models of family 6. */
#define MODEL_ICE_LAKE_X 0x6AU
#define MODEL_ICE_LAKE_D 0x6CU
#define MODEL_ICE_LAKE_L 0x7EU

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

/*
 * Returns whether the processor can raise #AC for split locks: by its capabilities, or
 * one of the first models, Ice Lake, which report none. SDM 4, "MSRs Supported by
 * Processors".
 */
static bool can_detect_split_locks(void)
{
    const struct cpuid_snapshot found      = {.leaf_0 = cpuid(CPUID_LEAF_BASIC, 0),
                                              .leaf_1 = cpuid(CPUID_LEAF_FEATURES, 0)};
    const struct cpuid_signature signature = cpuid_signature(&found);
    bool is_ice_lake =
        cpuid_is_intel(&found) && signature.family == 6 &&
        (signature.model == MODEL_ICE_LAKE_X || signature.model == MODEL_ICE_LAKE_D ||
         signature.model == MODEL_ICE_LAKE_L);

    if ((cpuid_read_existing(CPUID_LEAF_STRUCTURED_FEATURES, 0, cpuid).edx &
         CPUID_7_EDX_CORE_CAPABILITIES) == 0)
        return is_ice_lake;
    return is_ice_lake || (msr_read_safe(MSR_IA32_CORE_CAPABILITIES).value &
                           CORE_CAPABILITIES_SPLIT_LOCK) != 0;
}

static void clear_split_lock_detection(const struct cpu *cpu)
{
    if (!can_detect_split_locks())
        return;
    uint64_t control = msr_read_safe(MSR_TEST_CTRL).value;
    if ((control & TEST_CTRL_SPLIT_LOCK) != 0 &&
        wrmsr_safe(MSR_TEST_CTRL, control & ~TEST_CTRL_SPLIT_LOCK) == FAULT_NONE)
        log_info("cpu %u: MSR_TEST_CTRL[29], which raises #AC for split locks, was set; "
                 "cleared",
                 cpu->index);
}

void inherited_state_clear(struct cpu *cpu)
{
    clear_vmxe(cpu);
    clear_svme(cpu);
    clear_cpuid_limit(cpu);
    clear_split_lock_detection(cpu);
}
