/* See capabilities.h. */
#include "svm/capabilities.h"

static const struct capability_row rows[] = {
#define FLAG_ROW(group, constant, bit, name) {GROUP_##group, BIT(bit), name},
#define FIELD_ROW(group, mask, name)         {GROUP_##group, mask, name},
    SVM_CAPABILITIES(FLAG_ROW, FIELD_ROW)};

#define ENCRYPTION "encrypted memory capability"

static const struct capability_group groups[SVM_GROUP_COUNT] = {
    [GROUP_REVISION]         = {.name     = "SVM revision",
                                .singular = "SVM revision",
                                .source   = "CPUID.8000000AH:EAX"},
    [GROUP_ASIDS]            = {.name     = "Address-space identifiers",
                                .singular = "ASIDs",
                                .source   = "CPUID.8000000AH:EBX"},
    [GROUP_FEATURES]         = {.name     = "SVM features",
                                .singular = "SVM feature",
                                .source   = "CPUID.8000000AH:EDX"},
    [GROUP_ENCRYPTION]       = {.name     = "Encrypted memory capabilities",
                                .singular = ENCRYPTION,
                                .source   = "CPUID.8000001FH:EAX"},
    [GROUP_ENCRYPTION_BIT]   = {.name       = "Encrypted memory: page tables, VMPLs",
                                .singular   = ENCRYPTION,
                                .maximized  = BITS_MASK(11, 6),
                                .identities = BITS_MASK(5, 0),
                                .source     = "CPUID.8000001FH:EBX"},
    [GROUP_ENCRYPTED_GUESTS] = {.name     = "Encrypted guests",
                                .singular = ENCRYPTION,
                                .source   = "CPUID.8000001FH:ECX"},
    [GROUP_ENCRYPTED_ASIDS]  = {.name      = "ASIDs of encrypted guests",
                                .singular  = ENCRYPTION,
                                .maximized = BITS_MASK(31, 0),
                                .source    = "CPUID.8000001FH:EDX"},
};
_Static_assert(SVM_GROUP_COUNT <= CAPABILITY_GROUPS_MAX, "the groups fit in a set");

const struct capability_table svm_capability_table = {
    .groups      = groups,
    .rows        = rows,
    .group_count = SVM_GROUP_COUNT,
    .row_count   = ARRAY_SIZE(rows),
};

struct capability_bits svm_capability_bits(const struct cpuid_snapshot *cpuid,
                                           enum svm_capability_group group)
{
    const struct cpuid_result *svm         = &cpuid->leaf_8000000a;
    const struct cpuid_result *memory      = &cpuid->leaf_8000001f;
    const uint32_t values[SVM_GROUP_COUNT] = {
        [GROUP_REVISION] = svm->eax,           [GROUP_ASIDS] = svm->ebx,
        [GROUP_FEATURES] = svm->edx,           [GROUP_ENCRYPTION] = memory->eax,
        [GROUP_ENCRYPTION_BIT] = memory->ebx,  [GROUP_ENCRYPTED_GUESTS] = memory->ecx,
        [GROUP_ENCRYPTED_ASIDS] = memory->edx,
    };

    return (struct capability_bits){
        .may_be_1 = values[group],
        .source   = groups[group].source,
        .exists   = group < GROUP_ENCRYPTION || memory->eax != 0,
    };
}
