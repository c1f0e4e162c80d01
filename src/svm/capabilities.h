/*
 * The capabilities of AMD-V: what CPUID.8000000AH and CPUID.8000001FH report, bit by bit.
 *
 * Pure. x86/svm_capabilities.h has the bits.
 */
#ifndef HYMIR_SVM_CAPABILITIES_H
#define HYMIR_SVM_CAPABILITIES_H

#include "svm/record.h"
#include "virt/capability.h"
#include "x86/svm_capabilities.h"

extern const struct capability_table svm_capability_table;

/* Returns a group as a processor reports it. */
struct capability_bits svm_capability_bits(const struct svm_record *record,
                                           enum svm_capability_group group);

#endif
