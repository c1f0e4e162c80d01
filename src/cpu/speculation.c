/* See speculation.h. */
#include "cpu/speculation.h"

#include "cpu/cpuid.h"
#include "cpu/instructions.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "x86/msr.h"

/* Returns whether VM exit sets IBRS, and VM entry the guest's IA32_SPEC_CTRL. */
static bool has_exit_ibrs(void)
{
    return (this_cpu()->controls.entry & BIT(ENTRY_IBRS)) != 0;
}

/* CPUID's leaves about speculation; a leaf that this CPU lacks is 0. */
struct features {
    struct cpuid_result leaf_7, leaf_80000008;
};

static struct features read_features(void)
{
    return (struct features){
        .leaf_7        = cpuid_read_existing(CPUID_LEAF_STRUCTURED_FEATURES, 0, cpuid),
        .leaf_80000008 = cpuid_read_existing(CPUID_LEAF_ADDRESS_SIZES, 0, cpuid)};
}

static bool has_spec_ctrl(const struct features *features)
{
    return (features->leaf_7.edx & CPUID_7_EDX_SPEC_CTRL) != 0 ||
           (features->leaf_80000008.ebx & CPUID_80000008_EBX_SPEC_CTRL) != 0;
}

size_t speculation_passed_msrs(uint32_t msrs[SPECULATION_MSRS])
{
    const struct features features = read_features();
    size_t count                   = 0;

    if (has_spec_ctrl(&features) && this_cpu()->controls.spec_ctrl == 0 &&
        !has_exit_ibrs())
        msrs[count++] = MSR_IA32_SPEC_CTRL;
    if ((features.leaf_7.edx & CPUID_7_EDX_IBRS_IBPB) != 0 ||
        (features.leaf_80000008.ebx & CPUID_80000008_EBX_IBPB) != 0)
        msrs[count++] = MSR_IA32_PRED_CMD;
    if ((features.leaf_7.edx & CPUID_7_EDX_L1D_FLUSH) != 0)
        msrs[count++] = MSR_IA32_FLUSH_CMD;
    return count;
}

uint64_t speculation_read_spec_ctrl(void)
{
    return this_cpu()->guest_spec_ctrl;
}

void speculation_write_spec_ctrl(uint64_t value)
{
    struct cpu *cpu = this_cpu();
    uint64_t hymirs = cpu->controls.spec_ctrl | (has_exit_ibrs() ? SPEC_CTRL_IBRS : 0);

    if (wrmsr_safe(MSR_IA32_SPEC_CTRL, value | hymirs) == FAULT_NONE)
        cpu->guest_spec_ctrl = value;
}

uint64_t speculation_capabilities(void)
{
    const struct features features = read_features();

    return (features.leaf_7.edx & CPUID_7_EDX_ARCH_CAPABILITIES) != 0
               ? msr_read_safe(MSR_IA32_ARCH_CAPABILITIES).value
               : 0;
}

uint32_t speculation_guest_features(void)
{
    return this_cpu()->controls.guest_features;
}

/* Returns the bit of LS_CFG that disables speculative store bypass, or 0. */
static uint64_t ls_cfg_ssbd(void)
{
    struct cpuid_snapshot snapshot = {.leaf_0 = cpuid(CPUID_LEAF_BASIC, 0),
                                      .leaf_1 = cpuid(CPUID_LEAF_FEATURES, 0)};

    if (!cpuid_is_amd(&snapshot))
        return 0;
    switch (cpuid_signature(&snapshot).family) {
    case 0x15:
        return LS_CFG_SSBD_15H;
    case 0x16:
        return LS_CFG_SSBD_16H;
    case 0x17:
        return LS_CFG_SSBD_17H;
    default:
        return 0;
    }
}

/* Returns whether no other thread is on this CPU's core. */
static bool is_alone(void)
{
    return cpuid(CPUID_LEAF_EXTENDED, 0).eax >= CPUID_LEAF_PROCESSOR_TOPOLOGY &&
           CPUID_8000001E_EBX_THREADS(cpuid(CPUID_LEAF_PROCESSOR_TOPOLOGY, 0).ebx) == 0;
}

bool speculation_has_ssbd(void)
{
    const struct features features = read_features();

    return (features.leaf_80000008.ebx & CPUID_80000008_EBX_SSBD) == 0 &&
           ls_cfg_ssbd() != 0 && is_alone();
}

uint64_t speculation_read_ssbd(void)
{
    return this_cpu()->guest_ssbd;
}

/* Keeps the value only if the processor accepts it. */
void speculation_write_ssbd(uint64_t virt_spec_ctrl)
{
    const struct msr_reading reading = msr_read_safe(MSR_LS_CFG);
    uint64_t bit                     = ls_cfg_ssbd();

    if (reading.state == MSR_READ &&
        wrmsr_safe(MSR_LS_CFG, virt_spec_ctrl != 0 ? reading.value | bit
                                                   : reading.value & ~bit) == FAULT_NONE)
        this_cpu()->guest_ssbd = virt_spec_ctrl;
}

void speculation_reset(void)
{
    const struct features features = read_features();

    this_cpu()->guest_spec_ctrl = 0;
    if (has_spec_ctrl(&features))
        (void)wrmsr_safe(MSR_IA32_SPEC_CTRL, this_cpu()->controls.spec_ctrl);
    if (this_cpu()->guest_ssbd != 0)
        speculation_write_ssbd(0);
}
