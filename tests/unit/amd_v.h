/*
 * AMD-V as the vendor-neutral parts see it: its words, its first check, and capabilities
 * from CPUID, which svm_values stores in a record.
 */
#ifndef HYMIR_TESTS_AMD_V_H
#define HYMIR_TESTS_AMD_V_H

#include "virt/virtualization.h"
#include "x86/msr.h"
#include "x86/svm_capabilities.h"

/* The part of a record that is specific to AMD-V: the register of each group. */
static inline uint32_t *svm_values(struct cpu_record *record)
{
    return (uint32_t *)(void *)record->own;
}

static inline bool svm_is_offered(const struct cpuid_snapshot *cpuid)
{
    return (cpuid->leaf_80000001.ecx & BIT(2)) != 0;
}

static inline bool svm_check_cpuid(const struct cpu_record *record, struct text *detail)
{
    text_append(detail, "CPUID.80000001H:ECX[2] = %d", svm_is_offered(&record->cpuid));
    return svm_is_offered(&record->cpuid);
}

static inline bool svm_read_capabilities(const struct cpu_record *record,
                                         struct capability_set *capabilities)
{
    static const char *const registers[SVM_GROUP_COUNT] = {
        "CPUID.8000000AH:EAX", "CPUID.8000000AH:EBX", "CPUID.8000000AH:EDX",
        "CPUID.8000001FH:EAX", "CPUID.8000001FH:EBX", "CPUID.8000001FH:ECX",
        "CPUID.8000001FH:EDX"};

    for (uint32_t i = 0; i < SVM_GROUP_COUNT; i++)
        capabilities->group[i] = (struct capability_bits){
            .may_be_1 = ((const uint32_t *)(const void *)record->own)[i],
            .source   = registers[i],
            .exists   = true,
        };
    return svm_is_offered(&record->cpuid);
}

/* The value after those of the groups: whether nested paging works. */
#define SVM_NESTED_PAGING SVM_GROUP_COUNT

static inline enum status svm_find_missing(const struct cpu_record *record,
                                           struct text *missing)
{
    if (((const uint32_t *)(const void *)record->own)[SVM_NESTED_PAGING] != 0)
        return STATUS_OK;
    text_append(missing, "nested paging");
    return STATUS_UNSUPPORTED;
}

static const struct check_row svm_steps[] = {
    {.name   = "SVM in CPUID",
     .passes = svm_check_cpuid,
     .word   = virtualization_word_if_not_offered},
};

static const struct capability_group svm_groups[SVM_GROUP_COUNT] = {
    {"SVM revision", "SVM revision", false, 0, 0, "CPUID.8000000AH:EAX"},
    {"ASIDs", "ASIDs", false, 0, 0, "CPUID.8000000AH:EBX"},
    {"SVM features", "SVM feature", false, 0, 0, "CPUID.8000000AH:EDX"},
    {"Memory encryption", "encryption", false, 0, 0, "CPUID.8000001FH:EAX"},
    {"C-bit", "encryption", false, 0, 0, "CPUID.8000001FH:EBX"},
    {"Encrypted guests", "encryption", false, 0, 0, "CPUID.8000001FH:ECX"},
    {"Their ASIDs", "encryption", false, 0, 0, "CPUID.8000001FH:EDX"},
};

static const struct capability_row svm_rows[] = {
#define SVM_ROW_OF_FLAG(group, constant, bit, name) {GROUP_##group, constant, name},
#define SVM_ROW_OF_FIELD(group, mask, name)         {GROUP_##group, mask, name},
    SVM_CAPABILITIES(SVM_ROW_OF_FLAG, SVM_ROW_OF_FIELD)};

static const struct capability_table svm_table = {
    .groups      = svm_groups,
    .rows        = svm_rows,
    .group_count = SVM_GROUP_COUNT,
    .row_count   = sizeof(svm_rows) / sizeof(svm_rows[0]),
};

static const struct virtualization amd_v_words = {
    .name              = "AMD-V",
    .success           = "a guest ran",
    .setting           = "enable SVM Mode (AMD-V)",
    .is_offered        = svm_is_offered,
    .is_usual          = cpuid_is_amd,
    .checks            = svm_steps,
    .check_count       = 1,
    .capability_table  = &svm_table,
    .read_capabilities = svm_read_capabilities,
    .find_missing      = svm_find_missing,
    .firmware_setting  = {"VM_CR", MSR_VM_CR,
                          offsetof(struct cpu_record, arch_capabilities)},
};

#endif
