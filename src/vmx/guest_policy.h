/*
 * The part of a guest's CPUID and MSRs that only Intel's processors have, and the MSRs
 * that a guest accesses without an exit.
 */
#ifndef HYMIR_VMX_GUEST_POLICY_H
#define HYMIR_VMX_GUEST_POLICY_H

#include "virt/vendor_policy.h"

extern const struct vendor_cpuid vmx_guest_cpuid;
extern const struct vendor_msrs vmx_guest_msrs;

/* MSRs, from first to last, that the guest accesses without an exit. */
struct msr_range {
    uint32_t first, last;
};
extern const struct msr_range vmx_passed_msrs[];
extern const size_t vmx_passed_msr_count;

#endif
