/*
 * What a guest on an Intel processor sees of it besides what every x86 processor has: the
 * tables of virt/vendor_policy.h, and the MSRs that a guest accesses without an exit.
 */
#ifndef HYMIR_VMX_GUEST_POLICY_H
#define HYMIR_VMX_GUEST_POLICY_H

#include "virt/vendor_policy.h"

/* vmx/guest_cpuid.c. */
extern const struct vendor_cpuid vmx_guest_cpuid;

/* vmx/guest_msrs.c. */
extern const struct vendor_msrs vmx_guest_msrs;

/* MSRs from first to last that the CPU keeps for the guest. */
struct msr_range {
    uint32_t first, last;
};
extern const struct msr_range vmx_passed_msrs[];
extern const size_t vmx_passed_msr_count;

#endif
