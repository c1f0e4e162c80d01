/*
 * The checks of AMD-V: see checks.c.
 */
#ifndef HYMIR_SVM_CHECKS_H
#define HYMIR_SVM_CHECKS_H

#include "virt/virtualization.h"

/* In the order in which they are performed. */
enum svm_check {
    SVM_CHECK_CPUID,
    SVM_CHECK_FEATURES,
    SVM_CHECK_VM_CR,
    SVM_CHECK_SVME,
    SVM_CHECK_HSAVE,
    SVM_CHECK_GIF,
    SVM_CHECK_GUEST,
    SVM_CHECK_NESTED_PAGING,
    SVM_CHECK_LEAVE,
    SVM_CHECK_COUNT,
};

extern const struct check_row svm_checks[SVM_CHECK_COUNT];

/* Returns whether the trial proved that nested paging works. */
bool svm_has_nested_paging(const struct cpu_record *record);

#endif
