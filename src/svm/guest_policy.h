/*
 * The part of a guest's CPUID and MSRs that only AMD's processors have, and the MSRs that
 * a guest accesses without an exit.
 */
#ifndef HYMIR_SVM_GUEST_POLICY_H
#define HYMIR_SVM_GUEST_POLICY_H

#include "virt/vendor_policy.h"

extern const struct vendor_cpuid svm_guest_cpuid;
extern const struct vendor_msrs svm_guest_msrs;

extern const uint32_t svm_passed_msrs[];
extern const size_t svm_passed_msr_count;

#endif
