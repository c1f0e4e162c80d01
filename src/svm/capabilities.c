/* See capabilities.h. */
#include "svm/capabilities.h"

static const struct capability_row rows[] = {
#define FLAG_ROW(group, constant, bit, name) {GROUP_##group, BIT(bit), name},
#define FIELD_ROW(group, mask, name)         {GROUP_##group, mask, name},
    SVM_CAPABILITIES(FLAG_ROW, FIELD_ROW)};

static const struct capability_group groups[SVM_GROUP_COUNT] = {
    [GROUP_REVISION]   = {.name     = "SVM revision",
                          .singular = "SVM revision",

                          .source = "CPUID.8000000AH:EAX"},
    [GROUP_ASIDS]      = {.name     = "Address-space identifiers",
                          .singular = "ASIDs",
                          .source   = "CPUID.8000000AH:EBX"},
    [GROUP_FEATURES]   = {.name     = "SVM features",
                          .singular = "SVM feature",
                          .source   = "CPUID.8000000AH:EDX"},
    [GROUP_ENCRYPTION] = {.name     = "Encrypted memory capabilities",
                          .singular = "encrypted memory capability",
                          .source   = "CPUID.8000001FH:EAX"},
};
_Static_assert(SVM_GROUP_COUNT <= CAPABILITY_GROUPS_MAX, "the groups fit in a set");

const struct capability_table svm_capability_table = {
    .groups      = groups,
    .rows        = rows,
    .group_count = SVM_GROUP_COUNT,
    .row_count   = ARRAY_SIZE(rows),
};

struct capability_bits svm_capability_bits(const struct svm_record *record,
                                           enum svm_capability_group group)
{
    const uint32_t values[SVM_GROUP_COUNT] = {
        [GROUP_REVISION]   = record->features.eax,
        [GROUP_ASIDS]      = record->features.ebx,
        [GROUP_FEATURES]   = record->features.edx,
        [GROUP_ENCRYPTION] = record->encryption.eax,
    };

    return (struct capability_bits){
        .may_be_1 = values[group], .source = groups[group].source, .exists = true};
}
