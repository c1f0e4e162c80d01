/*
 * AMD-V as the vendor-neutral parts see it: its name and setting, its first check, and
 * capabilities from CPUID, which a test stores in the record.
 */
#ifndef HYMIR_TESTS_AMD_V_H
#define HYMIR_TESTS_AMD_V_H

#include "virt/virtualization.h"
#include "x86/svm_capabilities.h"

#define STEP_COUNT 1

static inline bool svm_is_offered(const struct cpuid_snapshot *cpuid)
{
    return (cpuid->leaf_80000001.ecx & BIT(2)) != 0;
}

static inline bool svm_check_cpuid(const struct cpu_record *record, struct text *detail)
{
    text_append(detail, "CPUID.80000001H:ECX[2] = %d", svm_is_offered(&record->cpuid));
    return svm_is_offered(&record->cpuid);
}

static inline void svm_append_changes(const struct cpu_record *records, size_t count,
                                      struct text *text)
{
    (void)records;
    (void)count;
    (void)text;
}

static const struct check_row svm_steps[STEP_COUNT] = {
    {.name   = "SVM in CPUID",
     .passes = svm_check_cpuid,
     .word   = virtualization_word_if_not_offered},
};

static const struct virtualization amd_v_words = {
    .name           = "AMD-V",
    .success        = "a guest ran",
    .setting        = "enable SVM Mode (AMD-V)",
    .is_offered     = svm_is_offered,
    .is_usual       = cpuid_is_amd,
    .checks         = svm_steps,
    .check_count    = STEP_COUNT,
    .append_changes = svm_append_changes,
};

#endif
