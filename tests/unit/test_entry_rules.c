/*
 * src/vmx/rules_*.c: each rule is violated, alone, and the nearest value that it proposes
 * satisfies it: SDM 3C, "VM Entries", from "Basic VM-Entry Checks" to "Loading MSRs".
 */
#include "entry_snapshot.h"

#include "perturbation.h"
#include "virt/segment.h"

static void append_violations(char *text, size_t size)
{
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < violation_count && length < size; i++)
        length += (size_t)snprintf(
            text + length, size - length, " %s of %s (0x%lx: 0x%lx)",
            violations[i].rule->name, vmx_entry_value_names[violations[i].value],
            snapshot.value[violations[i].value], violations[i].bits);
}

/* All phases up to that of a section. */
static uint64_t phases_until(const struct entry_section *section)
{
    return BITS_MASK(section->phase, 0);
}

static void assert_good(const struct entry_rule *rule,
                        const struct entry_section *section, const char *when)
{
    char text[1024];

    judge(section != NULL ? phases_until(section) : ENTRY_ALL_PHASES);
    append_violations(text, sizeof(text));
    if (violation_count != 0)
        fail_msg("%s, %s:%s", rule != NULL ? rule->name : "the good snapshot", when,
                 text);
}

/* The good snapshot can be judged by all rules, and violates none. */
static void test_good(void **state)
{
    (void)state;
    snapshot_make_good(&snapshot);
    struct entry_count count = judge(ENTRY_ALL_PHASES);
    assert_good(NULL, NULL, "as it is");
    assert_int_equal(count.verdicts[ENTRY_UNKNOWN], 0);
    assert_true(count.verdicts[ENTRY_HOLDS] > 100);
}

/* Returns whether a violation is that of the rule, or may accompany it. */
static bool may_accompany(const struct entry_finding *finding,
                          const struct entry_rule *rule)
{
    static const struct {
        const char *rule, *other;
    } pairs[] = {
        /* Two sentences of the manual for one state. */
        {"no-ia32e-guest-outside-ia32e", "no-ia32e-guest-of-32-bit-host"},
        {"no-ia32e-guest-of-32-bit-host", "no-ia32e-guest-outside-ia32e"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        if (strcmp(rule->name, pairs[i].rule) == 0 &&
            strcmp(finding->rule->name, pairs[i].other) == 0)
            return true;
    }
    return finding->rule == rule ||
           (finding->is_consequence && strcmp(finding->rule->root, rule->name) == 0);
}

/* Returns the violation of a rule by a value, and fails if others are violated too. */
static const struct entry_finding *find_only(const struct perturbation *perturbation,
                                             const struct entry_section *section)
{
    const struct entry_finding *found = NULL;
    char text[1024];

    judge(phases_until(section));
    append_violations(text, sizeof(text));
    for (size_t i = 0; i < violation_count; i++) {
        if (!may_accompany(&violations[i], perturbation->rule))
            fail_msg("%s, way %u:%s", perturbation->rule->name, perturbation->way, text);
        if (violations[i].rule == perturbation->rule &&
            violations[i].value == perturbation->rule->value + perturbation->instance)
            found = &violations[i];
    }
    if (found == NULL)
        fail_msg(
            "%s of %s, way %u, is not violated:%s", perturbation->rule->name,
            vmx_entry_value_names[perturbation->rule->value + perturbation->instance],
            perturbation->way, text);
    return found;
}

static bool try_way(const struct perturbation *perturbation,
                    const struct entry_section *section)
{
    snapshot_make_good(&snapshot);
    if (!perturbation_prepare(perturbation, &snapshot))
        return false;
    assert_good(perturbation->rule, section, "prepared");
    perturbation_apply(perturbation, &snapshot);
    const struct entry_finding *found = find_only(perturbation, section);
    assert_true(found->bits != 0);
    assert_ptr_equal(found->section, section);
    entry_snapshot_set(&snapshot, found->value, found->nearest);
    assert_good(perturbation->rule, section, "with the nearest value");
    return true;
}

/* Instances without a way: those to which the rule does not apply. */
static bool is_exempt(const struct entry_rule *rule, uint32_t instance)
{
    static const char *const data[] = {"segment-accessed", "segment-readable",
                                       "segment-dpl"};

    for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
        if (strcmp(rule->name, data[i]) == 0)
            return instance == SEGMENT_CS || instance == SEGMENT_SS;
    }
    return false;
}

/* The type of SS is tested by rules of its own. */
static void test_each(void **state)
{
    (void)state;
    size_t ways = 0;

    for (size_t i = 0; i < vmx_entry_rules.section_count; i++) {
        const struct entry_section *section = vmx_entry_rules.sections[i];
        for (size_t j = 0; j < section->count; j++) {
            const struct entry_rule *rule = &section->rules[j];
            for (uint32_t k = 0; k < entry_rule_value_count(rule); k++) {
                struct perturbation perturbation = {rule, k, 0};
                if (is_exempt(rule, k))
                    continue;
                while (try_way(&perturbation, section))
                    perturbation.way++;
                if (perturbation.way == 0)
                    fail_msg("%s: no way to violate it", rule->name);
                ways += perturbation.way;
            }
        }
    }
    print_message("%zu ways to violate a rule\n", ways);
}

static const char *wanted_rule;
static enum entry_verdict wanted_verdict;

static void note_wanted(void *context, const struct entry_finding *finding)
{
    (void)context;
    if (strcmp(finding->rule->name, wanted_rule) == 0)
        wanted_verdict = finding->verdict;
}

/* Whether a rule applies cannot be judged without the value that decides it. */
static void test_unknown_whether_it_applies(void **state)
{
    static const struct {
        uint32_t value;
        const char *rule;
    } cases[] = {
        {VALUE_GUEST_INTERRUPTIBILITY_STATE, "pending-debug-single-step"},
        {VALUE_GUEST_INTERRUPTIBILITY_STATE, "activity-with-blocking"},
        {VALUE_ENTRY_INTERRUPTION_INFORMATION, "guest-rflags-if"},
        {VALUE_ENTRY_MSR_LOAD_COUNT, "entry-msr-load-address"},
        {VALUE_GUEST_CR0, "ss-dpl-zero"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snapshot_make_good(&snapshot);
        entry_snapshot_remove(&snapshot, cases[i].value);
        wanted_rule    = cases[i].rule;
        wanted_verdict = ENTRY_VERDICTS;
        (void)entry_judge(&vmx_entry_rules, &snapshot, ENTRY_ALL_PHASES, note_wanted,
                          NULL);
        if (wanted_verdict != ENTRY_UNKNOWN)
            fail_msg("%s: verdict %d", cases[i].rule, (int)wanted_verdict);
    }
}

/* What is to be mended comes before its consequences, of other sections too. */
static void test_consequences_last(void **state)
{
    (void)state;
    snapshot_make_good(&snapshot);
    entry_snapshot_set(&snapshot, VALUE_GUEST_RFLAGS, RFLAGS_FIXED | RFLAGS_VM);
    struct entry_count count = judge(ENTRY_ALL_PHASES);
    assert_true(violation_count > 1);
    assert_int_equal(count.verdicts[ENTRY_VIOLATED], violation_count);
    assert_string_equal(violations[0].rule->name, "guest-rflags-vm");
    for (size_t i = 1; i < violation_count; i++) {
        assert_true(violations[i].is_consequence);
        assert_string_equal(violations[i].rule->root, "guest-rflags-vm");
    }
}

/* In real-address mode the DPL of CS is that of SS, but SS is to be mended. */
static void test_stack_of_real_mode(void **state)
{
    static const struct {
        uint32_t value;
        uint64_t content;
    } real_mode[] = {
        {VALUE_ENTRY_CONTROLS, VM_ENTRY_LOAD_DEBUG_CONTROLS},
        {VALUE_SECONDARY_CONTROLS, SECONDARY_ENABLE_EPT | SECONDARY_UNRESTRICTED_GUEST},
        {VALUE_GUEST_CR0, CR0_NE},
        {VALUE_GUEST_RIP, 0xFFF0},
        {VALUE_GUEST_CS_ACCESS_RIGHTS, 0x9B},
        {VALUE_GUEST_CS_LIMIT, UINT16_MAX},
        {VALUE_GUEST_SS_ACCESS_RIGHTS, 0xF3},
        {VALUE_GUEST_SS_LIMIT, UINT16_MAX},
    };
    (void)state;
    snapshot_make_good(&snapshot);
    for (size_t i = 0; i < ARRAY_SIZE(real_mode); i++)
        entry_snapshot_set(&snapshot, real_mode[i].value, real_mode[i].content);
    judge(BIT(ENTRY_GUEST_STATE));
    assert_int_equal(violation_count, 2);
    assert_string_equal(violations[0].rule->name, "ss-dpl-zero");
    assert_string_equal(violations[1].rule->name, "cs-dpl");
    assert_true(violations[1].is_consequence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_unknown_whether_it_applies),
        cmocka_unit_test(test_consequences_last),
        cmocka_unit_test(test_stack_of_real_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
