/*
 * src/virt/entry_*.c and src/vmx/entry_*.c: dumps of failed entries with known causes,
 * partial dumps, what a failure can mean, and the words.
 */
#include "entry_snapshot.h"

#include "random.h"

static void fill(const struct snapshot_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        entry_snapshot_set(&snapshot, rows[i].value, rows[i].content);
}

/* Asserts the violation number i. */
static void assert_violation(size_t i, const char *rule, uint32_t value, uint64_t bits,
                             uint64_t nearest)
{
    assert_true(i < violation_count);
    assert_string_equal(violations[i].rule->name, rule);
    assert_string_equal(vmx_entry_value_names[violations[i].value],
                        vmx_entry_value_names[value]);
    assert_int_equal(violations[i].bits, bits);
    assert_int_equal(violations[i].nearest, nearest);
}

/* ---- Known inputs: public reports of failed entries, found by hand after weeks */

/* A guest in 16-bit protected mode without "unrestricted guest"; no MSRs, no bases. */
static void test_not_accessed(void **state)
{
    (void)state;
    static const struct snapshot_row dump[] = {
        {VALUE_GUEST_CR0, 0x80000031},
        {VALUE_GUEST_CR4, 0x2041},
        {VALUE_GUEST_RFLAGS, 0x00080202},
        {VALUE_GUEST_CS_SELECTOR, 0x0097},
        {VALUE_GUEST_CS_ACCESS_RIGHTS, 0x040FB},
        {VALUE_GUEST_CS_LIMIT, 0x1A0},
        {VALUE_GUEST_SS_SELECTOR, 0x009F},
        {VALUE_GUEST_SS_ACCESS_RIGHTS, 0x040F3},
        {VALUE_GUEST_SS_LIMIT, 0xEFFF},
        {VALUE_GUEST_DS_SELECTOR, 0x00F7},
        {VALUE_GUEST_DS_ACCESS_RIGHTS, 0x0C0F2},
        {VALUE_GUEST_DS_LIMIT, 0xFFFFFFFF},
        {VALUE_GUEST_DS_BASE, 0},
        {VALUE_GUEST_ES_SELECTOR, 0x00F7},
        {VALUE_GUEST_ES_ACCESS_RIGHTS, 0x0C0F2},
        {VALUE_GUEST_ES_LIMIT, 0xFFFFFFFF},
        {VALUE_GUEST_ES_BASE, 0},
        {VALUE_PRIMARY_CONTROLS, 0xB6A06DFA},
        {VALUE_SECONDARY_CONTROLS, 0x2C6A},
        {VALUE_ENTRY_CONTROLS, 0xD1FF},
    };
    memset(&snapshot, 0, sizeof(snapshot));
    fill(dump, ARRAY_SIZE(dump));
    judge(ENTRY_ALL_PHASES);
    assert_violation(0, "segment-accessed", VALUE_GUEST_ES_ACCESS_RIGHTS, 1, 0xC0F3);
    assert_violation(1, "segment-accessed", VALUE_GUEST_DS_ACCESS_RIGHTS, 1, 0xC0F3);
    assert_int_equal(violation_count, 2);
}

static void test_single_step(void **state)
{
    (void)state;
    snapshot_make_good(&snapshot);
    fill((struct snapshot_row[]){{VALUE_GUEST_INTERRUPTIBILITY_STATE, 2},
                                 {VALUE_GUEST_RFLAGS, 0x302},
                                 {VALUE_GUEST_IA32_DEBUGCTL, 0},
                                 {VALUE_GUEST_PENDING_DEBUG_EXCEPTIONS, 0}},
         4);
    judge(ENTRY_ALL_PHASES);
    assert_violation(0, "pending-debug-single-step", VALUE_GUEST_PENDING_DEBUG_EXCEPTIONS,
                     BIT(14), BIT(14));
    assert_int_equal(violation_count, 1);
    /* With BTF the processor traps branches, and the bit must be 0. */
    entry_snapshot_set(&snapshot, VALUE_GUEST_IA32_DEBUGCTL, BIT(1));
    judge(ENTRY_ALL_PHASES);
    assert_int_equal(violation_count, 0);
}

static void test_single_fields(void **state)
{
    (void)state;
    static const struct {
        uint16_t value;
        uint64_t content;
        const char *rule;
        uint64_t bits;
    } cases[] = {
        {VALUE_GUEST_CR4, 0x2600, "guest-ia32e-needs-pae", BIT(5)},
        {VALUE_GUEST_IA32_EFER, 0x100, "guest-efer-lma", BIT(10)},
        {VALUE_GUEST_CS_ACCESS_RIGHTS, 0xE09B, "cs-d-and-l", BIT(14)},
        {VALUE_GUEST_TR_ACCESS_RIGHTS, 0x89, "tr-type", BIT(1)},
        {VALUE_GUEST_RFLAGS, 0, "guest-rflags-fixed", BIT(1)},
        {VALUE_HOST_CS_SELECTOR, 0, "host-cs-not-null", 8},
        {VALUE_HOST_TR_SELECTOR, 0, "host-tr-not-null", 8},
        {VALUE_LINK_POINTER, 1, "link-pointer-address", BIT(0)},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snapshot_make_good(&snapshot);
        entry_snapshot_set(&snapshot, cases[i].value, cases[i].content);
        judge(ENTRY_ALL_PHASES);
        assert_true(violation_count >= 1);
        assert_string_equal(violations[0].rule->name, cases[i].rule);
        assert_int_equal(violations[0].bits, cases[i].bits);
        for (size_t j = 1; j < violation_count; j++)
            assert_true(violations[j].is_consequence);
    }
}

/* ---- Partial dumps */

/* A value that is unknown never violates a rule. */
static void test_unknown(void **state)
{
    (void)state;
    memset(&snapshot, 0, sizeof(snapshot));
    struct entry_count count = judge(ENTRY_ALL_PHASES);
    assert_int_equal(count.verdicts[ENTRY_VIOLATED], 0);
    assert_int_equal(count.verdicts[ENTRY_HOLDS], 0);
    for (uint32_t value = 1; value < VMX_ENTRY_VALUES; value++) {
        snapshot_make_good(&snapshot);
        entry_snapshot_remove(&snapshot, value);
        count = judge(ENTRY_ALL_PHASES);
        assert_int_equal(count.verdicts[ENTRY_VIOLATED], 0);
    }
    for (int i = 0; i < 2000; i++) {
        snapshot_make_good(&snapshot);
        for (uint32_t value = 1; value < VMX_ENTRY_VALUES; value++) {
            if (random_below(2) == 0)
                entry_snapshot_remove(&snapshot, value);
        }
        assert_int_equal(judge(ENTRY_ALL_PHASES).verdicts[ENTRY_VIOLATED], 0);
    }
}

/* The widths of addresses are needed only where they decide. */
static void test_widths(void **state)
{
    (void)state;
    static const struct {
        uint16_t value;
        uint64_t content;
        enum entry_verdict verdict;
    } cases[] = {
        {VALUE_GUEST_CR3, 0x12345000, ENTRY_HOLDS},
        {VALUE_GUEST_CR3, BIT(45), ENTRY_UNKNOWN},
        {VALUE_GUEST_CR3, BIT(63) | 0x1000, ENTRY_VIOLATED},
        {VALUE_MSR_BITMAP, 0x1000, ENTRY_HOLDS},
        {VALUE_MSR_BITMAP, 0x1001, ENTRY_VIOLATED},
        {VALUE_MSR_BITMAP, BIT(40), ENTRY_UNKNOWN},
        {VALUE_MSR_BITMAP, BIT(52), ENTRY_VIOLATED},
        {VALUE_GUEST_GDTR_BASE, UINT64_C(0xFFFFFFFF81000000), ENTRY_HOLDS},
        {VALUE_GUEST_GDTR_BASE, UINT64_C(0x00800000) << 24, ENTRY_UNKNOWN},
        {VALUE_GUEST_GDTR_BASE, BIT(60), ENTRY_VIOLATED},
        {VALUE_GUEST_RIP, UINT64_C(0xFFFFFFFF81000000), ENTRY_HOLDS},
        {VALUE_GUEST_RIP, BIT(60), ENTRY_VIOLATED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snapshot_make_good(&snapshot);
        size_t unknown, base;
        entry_snapshot_remove(&snapshot, VALUE_PHYSICAL_WIDTH);
        entry_snapshot_remove(&snapshot, VALUE_LINEAR_WIDTH);
        entry_snapshot_set(&snapshot, VALUE_PRIMARY_CONTROLS,
                           snapshot.value[VALUE_PRIMARY_CONTROLS] |
                               PRIMARY_USE_MSR_BITMAPS);
        base = judge(ENTRY_ALL_PHASES).verdicts[ENTRY_UNKNOWN];
        assert_int_equal(violation_count, 0);
        entry_snapshot_set(&snapshot, cases[i].value, cases[i].content);
        unknown = judge(ENTRY_ALL_PHASES).verdicts[ENTRY_UNKNOWN];
        assert_int_equal(unknown - base, cases[i].verdict == ENTRY_UNKNOWN ? 1 : 0);
        assert_int_equal(violation_count, cases[i].verdict == ENTRY_VIOLATED ? 1 : 0);
    }
}

/* Names the first value that is missing. */
static const struct entry_rule *wanted;
static uint16_t missing;

static void note_missing(void *context, const struct entry_finding *finding)
{
    (void)context;
    if (finding->rule == wanted && finding->verdict == ENTRY_UNKNOWN)
        missing = finding->missing;
}

static void test_missing(void **state)
{
    (void)state;
    snapshot_make_good(&snapshot);
    entry_snapshot_remove(&snapshot, VALUE_IA32_VMX_CR4_FIXED1);
    wanted = entry_rule_find(&vmx_entry_rules, "guest-cr4");
    assert_non_null(wanted);
    missing = 0;
    entry_judge(&vmx_entry_rules, &snapshot, ENTRY_ALL_PHASES, note_missing, NULL);
    assert_int_equal(missing, VALUE_IA32_VMX_CR4_FIXED1);
}

/* Any contents are judged and described: the sanitizers watch. */
static size_t lines;

static void count_line(void *context, const char *line)
{
    (void)context;
    assert_true(strlen(line) <= 78);
    lines++;
}

static void describe_violation(void *context, const struct entry_finding *finding)
{
    if (finding->verdict == ENTRY_VIOLATED)
        entry_describe(&vmx_entry_rules, &snapshot, finding, count_line, context);
}

static void test_random(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++) {
        snapshot_make_good(&snapshot);
        for (uint32_t value = 1; value < VMX_ENTRY_VALUES; value++) {
            switch (random_below(4)) {
            case 0:
                entry_snapshot_set(&snapshot, value, random_number());
                break;
            case 1:
                entry_snapshot_set(&snapshot, value, BIT(random_below(64)));
                break;
            case 2:
                entry_snapshot_remove(&snapshot, value);
                break;
            default:
                break;
            }
        }
        entry_judge(&vmx_entry_rules, &snapshot, ENTRY_ALL_PHASES, describe_violation,
                    NULL);
    }
    assert_true(lines > 10000);
}

/* ---- What a failure can mean: SDM 3C, "VM-Instruction Error Numbers" */

static void test_failures(void **state)
{
    (void)state;
    static const struct {
        struct vmx_entry_failure failure;
        uint64_t phases;
    } cases[] = {
        {{.error = 4}, BIT(ENTRY_INSTRUCTION)},
        {{.error = 5}, BIT(ENTRY_INSTRUCTION)},
        {{.error = 6}, BIT(ENTRY_INSTRUCTION)},
        {{.error = 7}, BIT(ENTRY_CONTROLS)},
        {{.error = 8}, BIT(ENTRY_HOST_STATE)},
        {{.error = 16}, BIT(ENTRY_INSTRUCTION)},
        {{.error = 17}, BIT(ENTRY_INSTRUCTION)},
        {{.error = 18}, BIT(ENTRY_INSTRUCTION)},
        {{.error = 25}, BIT(ENTRY_INSTRUCTION)},
        {{.error = 26}, BIT(ENTRY_INSTRUCTION)},
        {{.reason = 0x80000021}, BIT(ENTRY_GUEST_STATE)},
        {{.reason = 0x80000022}, BIT(ENTRY_MSR_LOADING)},
        {{.reason = 0x80000029}, 0},
        {{.reason = 33}, 0}, /* bit 31 is missing: no failure */
        {{.reason = 10}, 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(vmx_entry_phases(&cases[i].failure), cases[i].phases);
    /* The errors of other instructions mean no rule. */
    static const uint32_t others[] = {1,  2,  3,  9,  10, 11, 12, 13, 14, 15,
                                      19, 20, 21, 22, 23, 24, 27, 28, 29};
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(
            vmx_entry_phases(&(struct vmx_entry_failure){.error = others[i]}), 0);
}

/* A basic check explains its own error only. */
static void test_explains(void **state)
{
    (void)state;
    snapshot_make_good(&snapshot);
    entry_snapshot_set(&snapshot, VALUE_IS_LAUNCHED, 1);
    judge(ENTRY_ALL_PHASES);
    assert_violation(0, "launch-clear-vmcs", VALUE_IS_LAUNCHED, 1, 0);
    assert_int_equal(violation_count, 1);
    assert_true(entry_finding_explains(&violations[0], 4));
    assert_false(entry_finding_explains(&violations[0], 5));
}

/* ---- Words */

static char words[2048];

static void add_line(void *context, const char *line)
{
    (void)context;
    strcat(words, line);
    strcat(words, "\n");
}

static void test_words(void **state)
{
    (void)state;
    snapshot_make_good(&snapshot);
    fill((struct snapshot_row[]){{VALUE_GUEST_INTERRUPTIBILITY_STATE, 2},
                                 {VALUE_GUEST_RFLAGS, 0x302}},
         2);
    judge(ENTRY_ALL_PHASES);
    assert_int_equal(violation_count, 1);
    words[0] = '\0';
    entry_describe(&vmx_entry_rules, &snapshot, &violations[0], add_line, NULL);
    assert_string_equal(
        words,
        "GUEST_PENDING_DEBUG_EXCEPTIONS = 0x0: bit 14 (BS); nearest valid value 0x4000\n"
        "  pending-debug-single-step: If STI or MOV SS blocks events or the guest is in\n"
        "  HLT, bit 14 (BS) of the pending debug exceptions is 1 exactly if RFLAGS.TF\n"
        "  is 1 and IA32_DEBUGCTL.BTF is 0. Here GUEST_INTERRUPTIBILITY_STATE = 0x2,\n"
        "  GUEST_RFLAGS = 0x302, GUEST_IA32_DEBUGCTL = 0x0. SDM 3C, \"Checks on Guest\n"
        "  Non-Register State\".\n"
        "  Usual cause: an instruction of a single-stepping guest was emulated, and BS\n"
        "  was not set.\n");
}

static void test_bits(void **state)
{
    (void)state;
    TEXT_DECLARE(text, 200);
    entry_append_bits(&vmx_entry_rules, VALUE_GUEST_SS_ACCESS_RIGHTS, 0x10660, &text);
    assert_string_equal(text.buffer,
                        "bits 6:5 (DPL), bits 11:8 (reserved), bit 16 (unusable)");
    text.length = 0;
    entry_append_bits(&vmx_entry_rules, VALUE_GUEST_CR4, BIT(5) | BIT(23), &text);
    assert_string_equal(text.buffer, "bit 5 (PAE), bit 23 (CET)");
    text.length = 0;
    entry_append_bits(&vmx_entry_rules, VALUE_GUEST_CR3, BITS_MASK(63, 52) | 1, &text);
    assert_string_equal(text.buffer, "bit 0, bits 63:52");
}

/* Names are unique, roots exist, and sentences are sentences. */
static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < vmx_entry_rules.section_count; i++) {
        const struct entry_section *section = vmx_entry_rules.sections[i];
        for (size_t j = 0; j < section->count; j++) {
            const struct entry_rule *rule = &section->rules[j];
            size_t length                 = strlen(rule->sentence);
            assert_ptr_equal(entry_rule_find(&vmx_entry_rules, rule->name), rule);
            assert_true(rule->root == NULL ||
                        entry_rule_find(&vmx_entry_rules, rule->root) != NULL);
            assert_int_equal(rule->sentence[length - 1], '.');
            assert_true(rule->cause == NULL ||
                        rule->cause[strlen(rule->cause) - 1] != '.');
            assert_true(rule->value != VALUE_NONE);
        }
    }
    assert_null(entry_rule_find(&vmx_entry_rules, "no-such-rule"));
}

/* Each field has a value, and each value that is a field an encoding. */
static void test_values(void **state)
{
    (void)state;
    assert_int_equal(vmx_entry_value_of_field(0x6800), VALUE_GUEST_CR0);
    assert_int_equal(vmx_entry_value_of_field(0x4002), VALUE_PRIMARY_CONTROLS);
    assert_int_equal(vmx_entry_value_of_field(0x4003), ENTRY_VALUE_NONE);
    assert_int_equal(vmx_entry_field_of_value(VALUE_HOST_RIP), 0x6C16);
    assert_true(vmx_entry_value_is_field(VALUE_HOST_INTERRUPT_SSP_TABLE));
    assert_false(vmx_entry_value_is_field(VALUE_IA32_VMX_BASIC));
    assert_false(vmx_entry_value_is_field(VALUE_NONE));
    for (uint32_t value = 1; value < VMX_ENTRY_VALUES; value++)
        assert_non_null(vmx_entry_value_names[value]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_not_accessed),  cmocka_unit_test(test_single_step),
        cmocka_unit_test(test_single_fields), cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_widths),        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_random),        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_explains),      cmocka_unit_test(test_words),
        cmocka_unit_test(test_bits),          cmocka_unit_test(test_rows),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
