/* See perturbation.h. */
#include "perturbation.h"

#include "perturbation_ways.h"

#include "lib/string.h"
#include "vmx/rules.h"
#include "x86/msr.h"

/* ---- Environments */

/* Guests other than the good one. */
static const struct change guest_32[] = {
    TO(ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST, 0),
    TO(GUEST_IA32_EFER, EFER_LMA | EFER_LME, 0),
    TO(GUEST_CR4, CR4_PCIDE | CR4_FRED, CR4_PAE),
    TO(GUEST_CS_ACCESS_RIGHTS, CODE_SEGMENT_L, SEGMENT_BIG),
    TO(GUEST_RIP, HIGH_HALF, 0),
    TO(GUEST_SSP, HIGH_HALF, 0),
};
#define V8086_SEGMENT(name)                                                          \
    EXACTLY(GUEST_##name##_SELECTOR, 0x1000), EXACTLY(GUEST_##name##_BASE, 0x10000), \
        EXACTLY(GUEST_##name##_LIMIT, 0xFFFF),                                       \
        EXACTLY(GUEST_##name##_ACCESS_RIGHTS, ACCESS_RIGHTS_V8086)
static const struct change guest_v8086[] = {
    TO(GUEST_RFLAGS, 0, RFLAGS_VM),
    V8086_SEGMENT(ES),
    V8086_SEGMENT(CS),
    V8086_SEGMENT(SS),
    V8086_SEGMENT(DS),
    V8086_SEGMENT(FS),
    V8086_SEGMENT(GS),
};
static const struct change guest_restricted[] = {
    TO(SECONDARY_CONTROLS, SECONDARY_UNRESTRICTED_GUEST, 0),
};
static const struct change host_32[] = {
    TO(EXIT_CONTROLS, VM_EXIT_HOST_ADDRESS_SPACE_SIZE, 0),
    TO(HOST_IA32_EFER, EFER_LMA | EFER_LME, 0),
    TO(HOST_CR4, CR4_PCIDE, 0),
    TO(HOST_RIP, HIGH_HALF, 0),
    TO(HOST_IA32_S_CET, HIGH_HALF, 0),
    TO(HOST_SSP, HIGH_HALF, 0),
    EXACTLY(CURRENT_EFER, 0),
};
static const struct change ring_3[] = {
    TO(GUEST_SS_ACCESS_RIGHTS, 0, SEGMENT_DPL),
    TO(GUEST_CS_ACCESS_RIGHTS, 0, SEGMENT_DPL),
    TO(GUEST_SS_SELECTOR, 0, SELECTOR_RPL),
    TO(GUEST_CS_SELECTOR, 0, SELECTOR_RPL),
};
static const struct change in_smm[] = {
    EXACTLY(IN_SMM, 1),
    TO(GUEST_INTERRUPTIBILITY_STATE, 0, INTERRUPTIBILITY_SMI),
};
static const struct change without_ept[] = {
    TO(SECONDARY_CONTROLS, SECONDARY_ENABLE_EPT | SECONDARY_UNRESTRICTED_GUEST, 0),
};

static const struct {
    enum environment_flag flag;
    const struct change *changes;
    size_t count;
} environments[] = {
    {GUEST_32, guest_32, ARRAY_SIZE(guest_32)},
    {V8086, guest_v8086, ARRAY_SIZE(guest_v8086)},
    {RESTRICTED, guest_restricted, ARRAY_SIZE(guest_restricted)},
    {HOST_32, host_32, ARRAY_SIZE(host_32)},
    {RING_3, ring_3, ARRAY_SIZE(ring_3)},
    {SMM, in_smm, ARRAY_SIZE(in_smm)},
    {NO_EPT, without_ept, ARRAY_SIZE(without_ept)},
};

/* ---- Applying changes */

static void change(struct entry_snapshot *snapshot, uint32_t value, uint64_t clear,
                   uint64_t set)
{
    entry_snapshot_set(snapshot, value, (snapshot->value[value] & ~clear) | set);
}

static void change_all(const struct perturbation *of, struct entry_snapshot *snapshot,
                       const struct change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t value = changes[i].value;
        if (value == VALUE_NONE && changes[i].clear == 0 && changes[i].set == 0)
            continue;
        if (value == VALUE_NONE)
            value = of->rule->value + of->instance;
        else if (changes[i].is_of_instance)
            value += of->instance;
        change(snapshot, value, changes[i].clear, changes[i].set);
    }
}

/* Meets a condition, in the fields that controls in effect are derived from. */
static void meet(struct entry_snapshot *snapshot, const struct entry_condition *condition)
{
    static const struct {
        uint16_t derived, field, activating;
        uint64_t flag;
    } derived_controls[] = {
        {VALUE_SECONDARY, VALUE_SECONDARY_CONTROLS, VALUE_PRIMARY_CONTROLS,
         PRIMARY_ACTIVATE_SECONDARY_CONTROLS},
        {VALUE_TERTIARY, VALUE_TERTIARY_CONTROLS, VALUE_PRIMARY_CONTROLS,
         PRIMARY_ACTIVATE_TERTIARY_CONTROLS},
        {VALUE_SECONDARY_EXIT, VALUE_SECONDARY_EXIT_CONTROLS, VALUE_EXIT_CONTROLS,
         VM_EXIT_ACTIVATE_SECONDARY_CONTROLS},
    };
    uint64_t flag  = BIT(condition->bit);
    uint32_t value = condition->value;

    for (size_t i = 0; i < ARRAY_SIZE(derived_controls); i++) {
        if (value != derived_controls[i].derived)
            continue;
        value = derived_controls[i].field;
        if (condition->is_set)
            change(snapshot, derived_controls[i].activating, 0, derived_controls[i].flag);
    }
    change(snapshot, value, flag, condition->is_set ? flag : 0);
}

/* Returns the way in the table, NULL if it has fewer; *has_any if it has some. */
static const struct way *find_way(const struct perturbation *perturbation, bool *has_any)
{
    uint32_t skip = perturbation->way;

    *has_any = false;
    for (size_t i = 0; i < WAYS; i++) {
        if (strcmp(perturbation_ways[i].rule, perturbation->rule->name) != 0)
            continue;
        *has_any = true;
        if (skip-- == 0)
            return &perturbation_ways[i];
    }
    return NULL;
}

/* ---- Ways that follow from the test */

/* Returns the settings that a control's capability MSR allows. */
static uint64_t capability_of(const struct entry_rule *rule,
                              const struct entry_snapshot *snapshot)
{
    bool is_true = rule->test == vmx_test_true_control &&
                   (snapshot->value[VALUE_IA32_VMX_BASIC] & VMX_BASIC_TRUE_CONTROLS) != 0;
    uint32_t distance = VALUE_IA32_VMX_TRUE_PINBASED_CTLS - VALUE_IA32_VMX_PINBASED_CTLS;

    return snapshot->value[rule->other + (is_true ? distance : 0)];
}

static uint64_t lowest(uint64_t bits)
{
    return bits & -bits;
}

/* Sets what to clear (way 0) or set (way 1); false if the processor allows all. */
static bool find_setting(const struct perturbation *of,
                         const struct entry_snapshot *snapshot, uint64_t *clear,
                         uint64_t *set)
{
    const struct entry_rule *rule = of->rule;
    uint64_t must = 0, may = capability_of(rule, snapshot);

    if (rule->test == vmx_test_fixed_bits) {
        must = snapshot->value[rule->other] & ~rule->mask;
        may  = snapshot->value[rule->other + 1] | rule->mask;
    } else if (rule->test != vmx_test_allowed_1) {
        must = may & UINT32_MAX;
        may  = may >> 32 | HIGH_HALF;
    }
    uint32_t way = of->way + (must == 0 ? 1 : 0);
    *clear       = way == 0 ? lowest(must) : 0;
    *set         = way == 1 ? lowest(~may) : 0;
    return (*clear | *set) != 0;
}

static bool find_generic(const struct perturbation *of,
                         const struct entry_snapshot *snapshot, uint64_t *clear,
                         uint64_t *set)
{
    const struct entry_rule *rule = of->rule;
    uint64_t low                  = lowest(rule->mask);

    *clear = *set = 0;
    if (rule->test == vmx_test_true_control || rule->test == vmx_test_control ||
        rule->test == vmx_test_allowed_1 || rule->test == vmx_test_fixed_bits)
        return of->way < 2 && find_setting(of, snapshot, clear, set);
    if (rule->test == entry_test_address) {
        *set = of->way == 0 && low != 0 ? low : BIT(52);
        return of->way < (low != 0 ? 2 : 1);
    }
    if (of->way > 0)
        return false;
    if (rule->test == entry_test_equal) {
        *clear = rule->expected & low;
        *set   = low & ~rule->expected;
    } else if (rule->test == entry_test_not_zero) {
        *clear = UINT64_MAX;
    } else if (rule->test == entry_test_canonical) {
        *clear = snapshot->value[rule->value + of->instance] & BIT(60);
        *set   = BIT(60) & ~*clear;
    } else if (rule->test == vmx_test_cr3) {
        *set = BIT(52);
    } else if (rule->test == entry_test_pat) {
        *clear = UINT8_MAX;
        *set   = 2;
    } else if (rule->test == vmx_test_s_cet) {
        *set = BIT(6);
    } else if (rule->test == vmx_test_performance_control) {
        *set = BIT(63);
    }
    return (*clear | *set) != 0;
}

bool perturbation_prepare(const struct perturbation *perturbation,
                          struct entry_snapshot *snapshot)
{
    bool has_any;
    uint64_t clear, set;
    const struct way *way = find_way(perturbation, &has_any);

    if (has_any && way == NULL)
        return false;
    for (size_t i = 0; has_any && i < ARRAY_SIZE(environments); i++) {
        if ((way->environment & environments[i].flag) != 0)
            change_all(perturbation, snapshot, environments[i].changes,
                       environments[i].count);
    }
    if (has_any)
        change_all(perturbation, snapshot, way->prepare, ARRAY_SIZE(way->prepare));
    for (size_t i = 0; i < ENTRY_CONDITIONS; i++) {
        if (perturbation->rule->when[i].value != VALUE_NONE)
            meet(snapshot, &perturbation->rule->when[i]);
    }
    return has_any || find_generic(perturbation, snapshot, &clear, &set);
}

void perturbation_apply(const struct perturbation *perturbation,
                        struct entry_snapshot *snapshot)
{
    bool has_any;
    uint64_t clear, set;
    const struct way *way = find_way(perturbation, &has_any);

    if (has_any)
        change_all(perturbation, snapshot, way->violate, ARRAY_SIZE(way->violate));
    else if (find_generic(perturbation, snapshot, &clear, &set))
        change(snapshot, perturbation->rule->value + perturbation->instance, clear, set);
}
