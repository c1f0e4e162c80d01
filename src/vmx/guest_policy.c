/*
 * See guest_policy.h. SDM 2, "CPUID - CPU Identification"; SDM 4, "Model-Specific
 * Registers (MSRs)".
 */
#include "vmx/guest_policy.h"

#include "lib/ticks.h"
#include "x86/msr.h"

#define HZ_PER_KHZ 1000U
#define HZ_PER_MHZ 1000000U

static const struct cpuid_row rows[] = {
    {CPUID_LEAF_CACHE_AND_TLB, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, false},
    {CPUID_LEAF_CACHES, {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX}, true},
    {CPUID_LEAF_TSC, {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0}, false},
    {CPUID_LEAF_FREQUENCY, {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0}, false},
};

/* Returns the frequency of the crystal that leaf 15H's ratio gives the TSC hz, or 0. */
static uint64_t crystal_frequency(const struct cpuid_result *leaf, uint64_t hz)
{
    return leaf->eax > leaf->ebx ? 0 : ticks_convert(hz, leaf->ebx, leaf->eax);
}

/*
 * Reports the frequency if it is exact: a guest does not measure it again. Keeps the
 * processor's ratio to its crystal, whose frequency some processors do not report, if
 * that has whole kHz, to which Linux rounds it. Without an exact frequency the leaves
 * report nothing, as leaf 16H alone, in whole MHz, would be believed too.
 */
static uint32_t add_frequency(struct cpuid_result leaves[CPUID_BASIC_LEAVES],
                              uint32_t last, uint64_t exact_hz)
{
    struct cpuid_result *tsc       = &leaves[CPUID_LEAF_TSC];
    struct cpuid_result *frequency = &leaves[CPUID_LEAF_FREQUENCY];
    uint32_t mhz = (uint32_t)((exact_hz + HZ_PER_MHZ / 2) / HZ_PER_MHZ); /* nearest */

    if (exact_hz == 0) {
        *tsc = *frequency = (struct cpuid_result){0};
        return last;
    }
    uint64_t crystal = tsc->ebx == 0 ? 0 : crystal_frequency(tsc, exact_hz);
    if (crystal == 0 || crystal > UINT32_MAX || crystal % HZ_PER_KHZ != 0) {
        tsc->eax   = 1;
        tsc->ebx   = (uint32_t)(exact_hz >> 32) + 1; /* the least with which ECX fits */
        *frequency = (struct cpuid_result){.eax = mhz, .ebx = mhz};
    }
    tsc->ecx = (uint32_t)crystal_frequency(tsc, exact_hz);
    if (frequency->eax == 0)
        *frequency = (struct cpuid_result){.eax = mhz, .ebx = mhz};
    return last < CPUID_LEAF_FREQUENCY ? CPUID_LEAF_FREQUENCY : last;
}

const struct vendor_cpuid vmx_guest_cpuid = {
    .rows              = rows,
    .row_count         = ARRAY_SIZE(rows),
    .repeats_last_leaf = true,
    .add_frequency     = add_frequency,
};

const struct msr_range vmx_passed_msrs[] = {
    {MSR_IA32_UMWAIT_CONTROL, MSR_IA32_UMWAIT_CONTROL}, /* the CPU's, if it has one */
    {MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_EIP},      /* in the VMCS */
    {MSR_IA32_PAT, MSR_IA32_PAT},                       /* in the VMCS */
    {MSR_IA32_EFER, MSR_IA32_EFER},                     /* in the VMCS */
    {MSR_IA32_STAR, MSR_IA32_FMASK},                    /* the CPU's, unused by Hymir */
    {MSR_IA32_FS_BASE, MSR_IA32_GS_BASE},               /* in the VMCS */
    {MSR_IA32_KERNEL_GS_BASE, MSR_IA32_TSC_AUX},        /* the CPU's, unused by Hymir */
};
const size_t vmx_passed_msr_count = ARRAY_SIZE(vmx_passed_msrs);

static const struct msr_row msr_rows[] = {
    {MSR_IA32_PLATFORM_ID, MSR_CONSTANT, 0, 0},
    {MSR_IA32_FEATURE_CONTROL, MSR_CONSTANT, FEATURE_CONTROL_LOCK, 0}, /* without VMX */
    {MSR_IA32_BIOS_SIGN_ID, MSR_WRITABLE_CONSTANT, 0, 0}, /* no microcode update */
    {MSR_IA32_MISC_ENABLE, MSR_WRITABLE_CONSTANT,
     MISC_ENABLE_FAST_STRINGS | MISC_ENABLE_BTS_UNAVAILABLE |
         MISC_ENABLE_PEBS_UNAVAILABLE,
     0},
};
_Static_assert(ARRAY_SIZE(msr_rows) <= VENDOR_MSRS_MAX, "they fit");
const struct vendor_msrs vmx_guest_msrs = {msr_rows, ARRAY_SIZE(msr_rows)};
