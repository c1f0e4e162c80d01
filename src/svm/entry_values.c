/* The values of AMD-V's rules, and their names: see entry_rules.h. */
#include "lib/string.h"
#include "svm/entry_rules.h"

/* The names of bits; the group is the value. */
#define BIT_ROW(register, constant, bit, name) {SVM_VALUE_##register, BIT(bit), name},
#define EFER_ROW(flag)                     \
    {                                      \
        SVM_VALUE_EFER, EFER_##flag, #flag \
    }
static const struct capability_row bit_rows[] = {
    {SVM_VALUE_INTERCEPT_1, INTERCEPT_NMI, "NMI"},
    {SVM_VALUE_INTERCEPT_2, INTERCEPT_VMRUN, "VMRUN"},
    {SVM_VALUE_VIRTUAL_INTERRUPT, V_NMI_ENABLE, "V_NMI_ENABLE"},
    {SVM_VALUE_VIRTUAL_INTERRUPT, X2AVIC_ENABLE, "x2AVIC enable"},
    {SVM_VALUE_VIRTUAL_INTERRUPT, AVIC_ENABLE, "AVIC enable"},
    {SVM_VALUE_EVENT, BITS_MASK(7, 0), "VECTOR"},
    {SVM_VALUE_EVENT, EVENT_TYPE, "TYPE"},
    {SVM_VALUE_AVIC_PHYSICAL_TABLE, AVIC_MAX_INDEX, "AVIC_PHYSICAL_MAX_INDEX"},
    {SVM_VALUE_CS_ATTRIBUTES, VMCB_CODE_L, "L"},
    {SVM_VALUE_CS_ATTRIBUTES, VMCB_CODE_D, "D"},
    EFER_ROW(SCE),
    EFER_ROW(LME),
    EFER_ROW(LMA),
    EFER_ROW(NXE),
    EFER_ROW(SVME),
    EFER_ROW(LMSLE),
    EFER_ROW(FFXSR),
    EFER_ROW(TCE),
    EFER_ROW(MCOMMIT),
    EFER_ROW(INTWB),
    EFER_ROW(UAIE),
    EFER_ROW(AIBRSE),
    CR0_FLAGS(BIT_ROW) CR4_FLAGS(BIT_ROW)};
static const struct capability_table bit_table = {.rows      = bit_rows,
                                                  .row_count = ARRAY_SIZE(bit_rows)};

#define NAMES_OF(value)                                                     \
    {                                                                       \
        SVM_VALUE_##value, SVM_VALUE_##value, SVM_VALUE_##value, &bit_table \
    }
static const struct entry_bit_names bit_names[] = {
    NAMES_OF(INTERCEPT_1),
    NAMES_OF(INTERCEPT_2),
    NAMES_OF(VIRTUAL_INTERRUPT),
    NAMES_OF(EVENT),
    NAMES_OF(AVIC_PHYSICAL_TABLE),
    NAMES_OF(CS_ATTRIBUTES),
    NAMES_OF(EFER),
    NAMES_OF(CR0),
    NAMES_OF(CR4),
};

static const char *const value_names[SVM_ENTRY_VALUES] = {
#define NAME_OF_FIELD(constant, member, name) [SVM_VALUE_##constant] = (name),
#define NAME_OF_FACT(constant, name)          [SVM_VALUE_##constant] = (name),
    SVM_ENTRY_CONTROLS(NAME_OF_FIELD) SVM_ENTRY_STATE(NAME_OF_FIELD)
        SVM_ENTRY_FACTS(NAME_OF_FACT)};
_Static_assert(SVM_ENTRY_VALUES <= ENTRY_VALUES_MAX, "a snapshot has room");

struct place {
    uint16_t value, offset, size;
};
#define FIELD_PLACE(constant, member, ...)                          \
    {SVM_VALUE_##constant, (uint16_t)offsetof(struct vmcb, member), \
     (uint16_t)sizeof(((const struct vmcb *)NULL)->member)},
static const struct place control_places[] = {SVM_ENTRY_CONTROLS(FIELD_PLACE)};
static const struct place state_places[]   = {SVM_ENTRY_STATE(FIELD_PLACE)};

static void set_fields(struct entry_snapshot *snapshot, const struct vmcb *vmcb,
                       const struct place *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t content = 0;
        memcpy(&content, (const char *)vmcb + places[i].offset, places[i].size);
        entry_snapshot_set(snapshot, places[i].value, content);
    }
}

void svm_entry_set_controls(struct entry_snapshot *snapshot, const struct vmcb *vmcb)
{
    set_fields(snapshot, vmcb, control_places, ARRAY_SIZE(control_places));
}

void svm_entry_set_state(struct entry_snapshot *snapshot, const struct vmcb *vmcb)
{
    set_fields(snapshot, vmcb, state_places, ARRAY_SIZE(state_places));
}

void svm_entry_set_cpuid(struct entry_snapshot *snapshot, cpuid_reader *read)
{
    uint32_t sizes = cpuid_read_existing(CPUID_LEAF_ADDRESS_SIZES, 0, read).eax;
    const struct {
        uint16_t value;
        uint32_t content;
    } facts[] = {
        {SVM_VALUE_PHYSICAL_WIDTH, CPUID_80000008_EAX_PHYSICAL(sizes)},
        {SVM_VALUE_CPUID_1_ECX, cpuid_read_existing(CPUID_LEAF_FEATURES, 0, read).ecx},
        {SVM_VALUE_CPUID_7_EBX,
         cpuid_read_existing(CPUID_LEAF_STRUCTURED_FEATURES, 0, read).ebx},
        {SVM_VALUE_CPUID_7_ECX,
         cpuid_read_existing(CPUID_LEAF_STRUCTURED_FEATURES, 0, read).ecx},
        {SVM_VALUE_CPUID_80000001_ECX,
         cpuid_read_existing(CPUID_LEAF_EXTENDED_FEATURES, 0, read).ecx},
        {SVM_VALUE_CPUID_80000001_EDX,
         cpuid_read_existing(CPUID_LEAF_EXTENDED_FEATURES, 0, read).edx},
        {SVM_VALUE_CPUID_80000008_EBX,
         cpuid_read_existing(CPUID_LEAF_ADDRESS_SIZES, 0, read).ebx},
        {SVM_VALUE_CPUID_8000000A_EBX, cpuid_read_existing(CPUID_LEAF_SVM, 0, read).ebx},
        {SVM_VALUE_CPUID_8000000A_ECX, cpuid_read_existing(CPUID_LEAF_SVM, 0, read).ecx},
        {SVM_VALUE_CPUID_8000000A_EDX, cpuid_read_existing(CPUID_LEAF_SVM, 0, read).edx},
        {SVM_VALUE_CPUID_80000021_EAX,
         cpuid_read_existing(CPUID_LEAF_EXTENDED_FEATURES_2, 0, read).eax},
    };

    for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
        entry_snapshot_set(snapshot, facts[i].value, facts[i].content);
    if (sizes == 0)
        entry_snapshot_remove(snapshot, SVM_VALUE_PHYSICAL_WIDTH); /* not known */
}

/*
 * Sets the features that are known to be missing. The state of a guest whose state is
 * encrypted is elsewhere.
 */
static void derive(struct entry_snapshot *snapshot)
{
    bool is_known = entry_snapshot_has(snapshot, SVM_VALUE_CPUID_8000000A_EDX);
    uint32_t has  = (uint32_t)snapshot->value[SVM_VALUE_CPUID_8000000A_EDX];

    entry_snapshot_set(snapshot, SVM_VALUE_LACKING, is_known ? ~has : 0);
    if ((snapshot->value[SVM_VALUE_NESTED] & ENCRYPTED_STATE) == 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(state_places); i++)
        entry_snapshot_remove(snapshot, state_places[i].value);
}

static const struct entry_section *const sections[] = {
    &svm_control_rules,      &svm_state_rules, &svm_feature_rules, &svm_nested_rules,
    &svm_nested_state_rules, &svm_event_rules, &svm_nmi_rules,     &svm_avic_rules,
};

const struct entry_rules svm_entry_rules = {
    .value_names     = value_names,
    .value_count     = SVM_ENTRY_VALUES,
    .bit_names       = bit_names,
    .bit_names_count = ARRAY_SIZE(bit_names),
    .sections        = sections,
    .section_count   = ARRAY_SIZE(sections),
    .derive          = derive,
};
