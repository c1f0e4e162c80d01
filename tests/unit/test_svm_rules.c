/*
 * src/svm/entry_values.c, rules_controls.c, rules_state.c: each rule of APM 2,
 * "Canonicalization and Consistency Checks", "Nested Paging and VMRUN/#VMEXIT", "Event
 * Injection", "NMI Virtualization", "VMCB Changes in Support of AVIC" is violated and
 * satisfied, starting from the VMCB that Hymir writes.
 */
#include "recordings.h"
#include "svm_perturbations.h"
#include "svm_vcpu.h"

#include "svm/entry_rules.h"
#include "x86/svm_capabilities.h"

static const struct vcpu_plan plan   = {.memory_root = {0x123000}};
static const struct vcpu_start start = {
    .rip  = 0x100000,
    .cr0  = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_PG,
    .cr3  = 0x9000,
    .cr4  = CR4_PAE,
    .efer = EFER_LME | EFER_LMA,
    .code = {0x10, 0xFFFFFFFF, 0xA09B, 0},
    .data = {0x18, 0xFFFFFFFF, 0xC093, 0},
};
static struct entry_snapshot good, snapshot;

/* A processor with 48 bits of physical addresses, 16 ASIDs and CET, and nothing else. */
static struct cpuid_result read_cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    switch (leaf) {
    case CPUID_LEAF_BASIC:
        return (struct cpuid_result){.eax = CPUID_LEAF_STRUCTURED_FEATURES};
    case CPUID_LEAF_EXTENDED:
        return (struct cpuid_result){.eax = CPUID_LEAF_EXTENDED_FEATURES_2};
    case CPUID_LEAF_STRUCTURED_FEATURES:
        return (struct cpuid_result){.ecx = CPUID_7_ECX_SHADOW_STACKS};
    case CPUID_LEAF_EXTENDED_FEATURES:
        return (struct cpuid_result){.edx = CPUID_80000001_EDX_LONG_MODE};
    case CPUID_LEAF_ADDRESS_SIZES:
        return (struct cpuid_result){.eax = 48, .ebx = CPUID_80000008_EBX_NO_LMSLE};
    case CPUID_LEAF_SVM:
        return (struct cpuid_result){.ebx = 16,
                                     .edx = SVM_FEATURE_NESTED_PAGING | SVM_FEATURE_AVIC |
                                            SVM_FEATURE_X2AVIC | SVM_FEATURE_VIRTUAL_NMI};
    default:
        return (struct cpuid_result){0};
    }
}

static void write_vmcb(void)
{
    vcpu.start = &start;
    svm.plan   = &plan;
    cpu_cr4    = CR4_MCE | CR4_PAE;
    svm_state_write(&svm);
    vmcb->iopm_base  = 0x10000;
    vmcb->msrpm_base = 0x20000;
}

static int rules_start(void **state)
{
    svm_vcpu_start(state);
    write_vmcb();
    memset(&good, 0, sizeof(good));
    svm_entry_set_controls(&good, vmcb);
    svm_entry_set_state(&good, vmcb);
    svm_entry_set_cpuid(&good, read_cpuid);
    entry_snapshot_set(&good, SVM_VALUE_HOST_CR0, CR0_PE | CR0_PG);
    entry_snapshot_set(&good, SVM_VALUE_U_CET, 0);
    snapshot = good;
    return 0;
}

/* The violations of a snapshot. */
static struct entry_finding violations[8];
static size_t violation_count;

static void note_violation(void *context, const struct entry_finding *finding)
{
    (void)context;
    if (finding->verdict == ENTRY_VIOLATED && violation_count < ARRAY_SIZE(violations))
        violations[violation_count++] = *finding;
}

static struct entry_count judge(void)
{
    violation_count = 0;
    return entry_judge(&svm_entry_rules, &snapshot, ENTRY_ALL_PHASES, note_violation,
                       NULL);
}

static void assert_no_violation(const char *what)
{
    (void)judge();
    if (violation_count > 0)
        fail_msg("%s: %s is violated", what, violations[0].rule->name);
}

static void test_hymirs_own_vmcb(void **state)
{
    (void)state;
    assert_int_equal(judge().verdicts[ENTRY_UNKNOWN], 0);
    assert_no_violation("Hymir's VMCB");
}

static void perturb(const struct perturbation *of)
{
    snapshot = good;
    for (size_t i = 0; i < ARRAY_SIZE(of->first) && of->first[i].value != 0; i++)
        entry_snapshot_set(&snapshot, of->first[i].value, of->first[i].content);
}

static void test_each_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(perturbations); i++) {
        const struct perturbation *of = &perturbations[i];
        perturb(of);
        entry_snapshot_set(&snapshot, of->value, of->content);
        (void)judge();
        if (violation_count != 1 || strcmp(violations[0].rule->name, of->rule) != 0)
            fail_msg("row %zu, %s: %zu violations, the first is %s", i, of->rule,
                     violation_count,
                     violation_count > 0 ? violations[0].rule->name : "none");
        assert_int_equal(violations[0].value, of->value);
        assert_int_equal(violations[0].bits, of->bits);
        assert_int_equal(violations[0].nearest, of->nearest);
        entry_snapshot_set(&snapshot, of->value, of->nearest);
        assert_no_violation(of->rule);
    }
}

static bool is_perturbed(const char *rule)
{
    for (size_t i = 0; i < ARRAY_SIZE(perturbations); i++) {
        if (strcmp(perturbations[i].rule, rule) == 0)
            return true;
    }
    return false;
}

/* Each rule is tested, its name is unique, and its words are complete. */
static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < svm_entry_rules.section_count; i++) {
        const struct entry_section *section = svm_entry_rules.sections[i];
        assert_memory_equal(section->title, "APM 2, \"", 8);
        for (size_t j = 0; j < section->count; j++) {
            const struct entry_rule *rule = &section->rules[j];
            if (!is_perturbed(rule->name))
                fail_msg("%s is not tested", rule->name);
            assert_ptr_equal(entry_rule_find(&svm_entry_rules, rule->name), rule);
            assert_int_equal(rule->sentence[strlen(rule->sentence) - 1], '.');
        }
    }
    for (uint32_t i = 1; i < SVM_ENTRY_VALUES; i++)
        assert_non_null(svm_entry_rules.value_names[i]);
}

/* Without any one value no rule is violated. */
static void test_unknown_values(void **state)
{
    (void)state;
    for (uint32_t i = 1; i < SVM_ENTRY_VALUES; i++) {
        snapshot = good;
        entry_snapshot_remove(&snapshot, (uint16_t)i);
        assert_no_violation(svm_entry_rules.value_names[i]);
    }
    memset(&snapshot, 0, sizeof(snapshot));
    struct entry_count count = judge();
    assert_int_equal(violation_count + count.verdicts[ENTRY_HOLDS], 0);
}

/* What just satisfies the rules. */
static void test_just_satisfied(void **state)
{
    static const struct {
        uint16_t value;
        uint64_t content;
    } rows[] = {
        {V(ASID), 15},
        {V(IOPM_BASE), BIT(48) - 0x3000 + 0xFFF},
        {V(MSRPM_BASE), BIT(48) - 0x2000 + 0xFFF},
        {V(N_CR3), BIT(48) - 0x1000},
        {V(CR3), BIT(48) - 0x1000},
        {V(EVENT), EVENT(3, 21)},
        {V(EVENT), EVENT(3, 30)},
        {V(EVENT), EVENT(4, 0x80)},
        {V(EVENT), EVENT(0, 2)},
        {V(EVENT), EVENT(2, 0)},
        {V(EVENT), EVENT(1, 2) & ~EVENT_VALID},
        {V(CR0), LONG_CR0 | CR0_NW | CR0_CD},
        {V(S_CET), 3},
        {V(CR4), CR4_PAE | CR4_CET},
        {V(G_PAT), 0x0001040506070001},
        {V(CS_ATTRIBUTES), 0xC9B},
        {V(DR7), UINT32_MAX},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        snapshot = good;
        entry_snapshot_set(&snapshot, rows[i].value, rows[i].content);
        assert_no_violation(svm_entry_rules.value_names[rows[i].value]);
    }
}

/* The save area of a guest whose state is encrypted is not used. */
static void test_encrypted_state(void **state)
{
    (void)state;
    entry_snapshot_set(&snapshot, V(EFER), 0);
    entry_snapshot_set(&snapshot, V(NESTED), NESTED_PAGING | ENCRYPTED_STATE);
    assert_no_violation("SEV-ES");
    entry_snapshot_set(&snapshot, V(INTERCEPT_2), 0);
    (void)judge();
    assert_int_equal(violation_count, 1);
}

/* A processor ignores what enables a feature that it lacks. */
static void test_lacking_features(void **state)
{
    static const struct {
        uint32_t features; /* all but the one */
        uint16_t value;
        uint64_t content;
    } rows[] = {
        {~(uint32_t)SVM_FEATURE_NESTED_PAGING, V(N_CR3), BIT(60)},
        {~(uint32_t)SVM_FEATURE_NESTED_PAGING, V(HOST_CR0), CR0_PE},
        {~(uint32_t)SVM_FEATURE_NESTED_PAGING, V(G_PAT), 2},
        {~(uint32_t)SVM_FEATURE_VIRTUAL_NMI, V(INTERCEPT_1), 0},
        {~(uint32_t)SVM_FEATURE_AVIC, V(AVIC_BACKING_PAGE), BIT(60)},
        {~(uint32_t)SVM_FEATURE_AVIC, V(AVIC_PHYSICAL_TABLE), 0xFFF},
        {~(uint32_t)SVM_FEATURE_X2AVIC, V(VIRTUAL_INTERRUPT), X2AVIC_ENABLE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (unsigned int lacks = 0; lacks < 2; lacks++) {
            snapshot = good;
            entry_snapshot_set(&snapshot, V(VIRTUAL_INTERRUPT),
                               V_NMI_ENABLE | AVIC_ENABLE);
            entry_snapshot_set(&snapshot, V(CPUID_8000000A_EDX),
                               lacks != 0 ? rows[i].features : UINT32_MAX);
            entry_snapshot_set(&snapshot, rows[i].value, rows[i].content);
            (void)judge();
            assert_int_equal(violation_count, 1 - lacks);
        }
    }
}

static size_t recorded;

static void check_recording(void)
{
    if (!cpuid_is_amd(&recording.snapshot) || recording_cpuid(CPUID_LEAF_SVM, 0).ebx == 0)
        return;
    snapshot = good;
    svm_entry_set_cpuid(&snapshot, recording_cpuid);
    assert_no_violation(recording.name);
    recorded++;
}

/* Hymir's VMCB on the processors of tests/recordings. */
static void test_recordings(void **state)
{
    (void)state;
    recordings_visit(check_recording);
    assert_true(recorded >= 20);
}

/* A processor without leaves 07H and 80000008H, which returns other data for them. */
static struct cpuid_result read_few_leaves(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    if (leaf == CPUID_LEAF_BASIC || leaf == CPUID_LEAF_EXTENDED)
        return (struct cpuid_result){.eax = leaf + 1};
    return (struct cpuid_result){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
}

static void test_few_leaves(void **state)
{
    (void)state;
    svm_entry_set_cpuid(&snapshot, read_few_leaves);
    assert_int_equal(snapshot.value[SVM_VALUE_CPUID_7_ECX], 0);
    assert_int_equal(snapshot.value[SVM_VALUE_CPUID_1_ECX], UINT32_MAX);
    assert_false(entry_snapshot_has(&snapshot, SVM_VALUE_PHYSICAL_WIDTH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_hymirs_own_vmcb, rules_start),
        cmocka_unit_test_setup(test_each_rule, rules_start),
        cmocka_unit_test_setup(test_few_leaves, rules_start),
        cmocka_unit_test_setup(test_rows, rules_start),
        cmocka_unit_test_setup(test_unknown_values, rules_start),
        cmocka_unit_test_setup(test_just_satisfied, rules_start),
        cmocka_unit_test_setup(test_encrypted_state, rules_start),
        cmocka_unit_test_setup(test_lacking_features, rules_start),
        cmocka_unit_test_setup(test_recordings, rules_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
