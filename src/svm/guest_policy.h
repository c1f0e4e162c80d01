/*
 * The part of a guest's CPUID and MSRs that only AMD's processors have, and the MSRs that
 * a guest accesses without an exit. Pure.
 */
#ifndef HYMIR_SVM_GUEST_POLICY_H
#define HYMIR_SVM_GUEST_POLICY_H

#include "virt/vendor_policy.h"

extern const struct vendor_cpuid svm_guest_cpuid;
extern const struct vendor_msrs svm_guest_msrs;

#define SVM_MSR_PERMISSIONS_SIZE (2 * PAGE_SIZE)

/*
 * Fills in the MSR permission map: every access exits, except those to MSRs that the
 * guest has for itself, with LBR virtualization also those of the last branch.
 */
void svm_msr_permissions_fill(uint8_t permissions[SVM_MSR_PERMISSIONS_SIZE],
                              bool has_lbr_virtualization);

/* Lets the guest access an MSR without an exit. */
void svm_msr_pass(uint8_t permissions[SVM_MSR_PERMISSIONS_SIZE], uint32_t msr);

#endif
