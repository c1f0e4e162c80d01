/*
 * The capabilities of AMD-V: what CPUID.8000000AH and CPUID.8000001FH report, bit by bit.
 *
 * Pure. x86/svm_capabilities.h has the bits.
 */
#ifndef HYMIR_SVM_CAPABILITIES_H
#define HYMIR_SVM_CAPABILITIES_H

#include "cpu/cpuid.h"
#include "virt/capability.h"
#include "x86/svm_capabilities.h"

extern const struct capability_table svm_capability_table;

/*
 * Returns a group as a processor reports it. The groups of encrypted memory do not exist
 * on one that reports none.
 */
struct capability_bits svm_capability_bits(const struct cpuid_snapshot *cpuid,
                                           enum svm_capability_group group);

#endif
