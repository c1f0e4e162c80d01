/*
 * src/virt/issues.c: which processors have which issues, compared with Linux on each
 * recording, with what Linux shows on the real processors, and with Intel's own list.
 */
#include "recordings.h"

#include "virt/issues.h"
#include "x86/msr.h"

static struct issue_facts facts_of_recording(void)
{
    return issue_facts_of(&(struct issue_registers){
        .cpuid             = &recording.snapshot,
        .arch_capabilities = reading_of(recording_msr(MSR_IA32_ARCH_CAPABILITIES)),
        .microcode         = 0});
}

static bool is_affected(enum issue issue, const struct issue_facts *facts)
{
    return issue_decide(issue, facts, MITIGATIONS_AUTO).state != ISSUE_NOT_AFFECTED;
}

/* ---- Linux, by the model alone ----------------------------------------------------- */

/* The traits that QEMU 7.2's TCG has of the processors of tests/oracle/linux_bugs. */
#define TRAITS_IN_QEMU (BIT(TRAIT_AVX) | BIT(TRAIT_RDRAND) | BIT(TRAIT_RDSEED))

/* Where Hymir differs from Linux, and the document that says why. */
static const struct {
    uint64_t micros;
    enum issue issue;
    bool is_affected; /* as Hymir decides */
    const char *reason;
} differences[] = {
    {BIT(MICRO_TREMONT), ISSUE_ITLB_MULTIHIT, false,
     "Intel's list, 06_96H and 06_9CH, Machine Check Error Avoidance: not affected; "
     "Linux relies on IA32_ARCH_CAPABILITIES[6]"},
    {BIT(MICRO_ICE_LAKE) | BIT(MICRO_COMET_LAKE) | BIT(MICRO_LAKEFIELD) |
         BIT(MICRO_TREMONT),
     ISSUE_SRBDS, false,
     "Intel's list, 06_7EH, 06_96H, 06_9CH, 06_A5H and 06_A6H, SRBDS: not affected; "
     "Linux "
     "lists Shared Buffers Data Sampling, a variant of MMIO stale data, under both"},
    {BIT(MICRO_TIGER_LAKE_B), ISSUE_MMIO, true,
     "Intel's list, 06_8CH stepping 1, Shared Buffers Data Sampling: MCU"},
};

static bool is_explained(enum issue issue, const struct issue_facts *facts, bool affected)
{
    for (size_t i = 0; i < ARRAY_SIZE(differences); i++) {
        if (differences[i].issue == issue && differences[i].is_affected == affected &&
            (differences[i].micros & BIT(facts->micro)) != 0)
            return true;
    }
    return false;
}

/* Issues that Linux's list of bugs does not have. */
static bool is_in_linux(enum issue issue)
{
    return issue != ISSUE_ZENBLEED && issue != ISSUE_SIBLINGS;
}

static size_t compared;

static void compare_with_linux(void)
{
    struct issue_facts facts = facts_of_recording();

    facts.traits &= TRAITS_IN_QEMU;
    if (strlen(recording.bugs) == 0)
        return; /* not compared: tests/oracle/linux_bugs */
    compared++;
    for (enum issue issue = 0; issue < ISSUES; issue++) {
        const char *key = issue_rows[issue].key;
        if (issue == ISSUE_SMT_RSB)
            facts.traits |= BIT(TRAIT_SIBLINGS); /* Linux lists it without any, too */
        bool in_linux = recording_lists(recording.bugs, key);
        bool affected = is_affected(issue, &facts);
        if (is_in_linux(issue) && affected != in_linux &&
            !is_explained(issue, &facts, affected))
            fail_msg("%s: %s: %s", recording.path, key,
                     affected ? "only Hymir" : "only Linux");
    }
}

static void test_linux(void **state)
{
    (void)state;
    assert_in_range(recordings_visit(compare_with_linux), 70, SIZE_MAX);
    assert_in_range(compared, 25, SIZE_MAX);
}

/* ---- Linux, on the real processors ------------------------------------------------- */

/* The names of Linux's reports in the recordings. */
static const struct {
    const char *name;
    enum issue issue;
} reported[] = {
    {"meltdown", ISSUE_MELTDOWN},
    {"spectre_v1", ISSUE_SPECTRE_V1},
    {"spectre_v2", ISSUE_SPECTRE_V2},
    {"spec_store_bypass", ISSUE_SSB},
    {"l1tf", ISSUE_L1TF},
    {"mds", ISSUE_MDS},
    {"tsx_async_abort", ISSUE_TAA},
    {"srbds", ISSUE_SRBDS},
    {"itlb_multihit", ISSUE_ITLB_MULTIHIT},
};

static void compare_with_report(void)
{
    struct issue_facts facts = facts_of_recording();
    /* Microcode that is newer than the recording's may report immunity. */
    bool is_complete = recording_msr(MSR_IA32_ARCH_CAPABILITIES) != NONE ||
                       cpuid_is_amd(&recording.snapshot);

    for (size_t i = 0; i < ARRAY_SIZE(reported); i++) {
        bool affected = is_affected(reported[i].issue, &facts);
        if (recording_lists(recording.affected, reported[i].name) && !affected &&
            !is_explained(reported[i].issue, &facts, affected))
            fail_msg("%s: %s: affected", recording.path, reported[i].name);
        if (is_complete && recording_lists(recording.unaffected, reported[i].name) &&
            affected)
            fail_msg("%s: %s: not affected", recording.path, reported[i].name);
    }
}

static void test_reports(void **state)
{
    (void)state;
    recordings_visit(compare_with_report);
}

/* ---- Intel's list ------------------------------------------------------------------ */

/* Returns the facts of a signature in Intel's list, whose issues imply traits. */
static struct issue_facts facts_of_signature(uint32_t signature, const char *listed)
{
    struct cpuid_snapshot cpuid = {.leaf_0 = {7, 0x756E6547, 0x6C65746E, 0x49656E69},
                                   .leaf_1 = {.eax = signature}};
    struct issue_facts facts = issue_facts_of(&(struct issue_registers){.cpuid = &cpuid});

    facts.traits = BIT(TRAIT_AVX) | BIT(TRAIT_RDRAND);
    if (recording_lists(listed, "bhi") || recording_lists(listed, "eibrs_pbrsb"))
        facts.traits |= BIT(TRAIT_ENHANCED_IBRS);
    if (recording_lists(listed, "taa"))
        facts.traits |= BIT(TRAIT_RTM);
    return facts;
}

/* Issues that only a list of models tells, and not a bit of the newer ones. */
static const enum issue listed_issues[] = {ISSUE_ITS, ISSUE_RFDS, ISSUE_MMIO, ISSUE_GDS};

static void compare_with_intel(uint32_t signature, const char *listed)
{
    struct issue_facts facts = facts_of_signature(signature, listed);

    for (enum issue issue = 0; issue < ISSUES; issue++) {
        if (recording_lists(listed, issue_rows[issue].key) && !is_affected(issue, &facts))
            fail_msg("%X: %s: affected", signature, issue_rows[issue].key);
    }
    for (size_t i = 0; i < ARRAY_SIZE(listed_issues); i++) {
        enum issue issue = listed_issues[i];
        if (is_affected(issue, &facts) && !recording_lists(listed, issue_rows[issue].key))
            fail_msg("%X: %s: not affected", signature, issue_rows[issue].key);
    }
    if (recording_lists(listed, "rsba"))
        assert_true(is_affected(ISSUE_RETBLEED, &facts));
}

static void test_intel(void **state)
{
    (void)state;
    char line[256];
    size_t count = 0;
    FILE *file   = fopen(RECORDINGS "/intel_affected.list", "r");

    assert_non_null(file);
    for (; fgets(line, sizeof(line) - 1, file) != NULL; count++) {
        uint32_t signature;
        line[strcspn(line, "\n")] = '\0';
        strcat(line, " ");
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%x", &signature), 1);
        compare_with_intel(signature, strchr(line, ' '));
    }
    fclose(file);
    assert_in_range(count, 60, SIZE_MAX);
}

/* ---- Facts ------------------------------------------------------------------------- */

static void assert_state(enum issue issue, enum microarchitecture micro, uint64_t traits,
                         enum issue_state expected)
{
    const struct issue_facts facts = {.micro = micro, .traits = traits};
    assert_int_equal(issue_decide(issue, &facts, MITIGATIONS_AUTO).state, expected);
}

/* Processors that no list has: a bit decides, else nothing does. */
static void test_newer(void **state)
{
    (void)state;
    assert_state(ISSUE_SPECTRE_V2, MICRO_INTEL_OTHER, 0, ISSUE_AFFECTED);
    assert_state(ISSUE_RFDS, MICRO_INTEL_OTHER, 0, ISSUE_UNKNOWN);
    assert_state(ISSUE_RFDS, MICRO_INTEL_OTHER, BIT(TRAIT_RFDS_NO), ISSUE_NOT_AFFECTED);
    assert_state(ISSUE_RFDS, MICRO_INTEL_OTHER, BIT(TRAIT_RFDS_CLEAR), ISSUE_AFFECTED);
    assert_state(ISSUE_MELTDOWN, MICRO_INTEL_OTHER, BIT(TRAIT_RDCL_NO),
                 ISSUE_NOT_AFFECTED);
    assert_state(ISSUE_SRSO, MICRO_INTEL_OTHER, 0, ISSUE_NOT_AFFECTED);
    assert_state(ISSUE_SRSO, MICRO_AMD_OTHER, 0, ISSUE_UNKNOWN);
    assert_state(ISSUE_SRSO, MICRO_AMD_OTHER, BIT(TRAIT_SRSO_NO), ISSUE_NOT_AFFECTED);
    assert_state(ISSUE_MELTDOWN, MICRO_AMD_OTHER, 0, ISSUE_NOT_AFFECTED);
    assert_state(ISSUE_SPECTRE_V2, MICRO_OTHER, 0, ISSUE_AFFECTED);
    assert_state(ISSUE_SIBLINGS, MICRO_OTHER, BIT(TRAIT_SIBLINGS), ISSUE_AFFECTED);
    assert_state(ISSUE_SIBLINGS, MICRO_OTHER, 0, ISSUE_NOT_AFFECTED);
}

/* The measures of VM entry and VM exit against all issues, with the newest microcode. */
static uint8_t entry_measures(const struct issue_facts *facts, enum mitigations wanted)
{
    uint32_t measures = 0;

    for (enum issue issue = 0; issue < ISSUES; issue++) {
        const struct issue_finding finding = issue_decide(issue, facts, wanted);
        measures |= finding.chosen | finding.lacking;
    }
    return issue_controls(measures).entry;
}

#define E(measure) (1 << ENTRY_##measure)

/* The processors whose exits docs/PERFORMANCE.md lists: scenarios measures-bench. */
static void test_entry_measures(void **state)
{
    static const struct {
        const char *recording;
        uint8_t entry;
    } rows[] = {
        {"core_i7_3770k", E(VERW) | E(FLUSH_L1D) | E(FILL_RSB)},
        {"core_i7_6700k", E(VERW) | E(FLUSH_L1D) | E(FILL_RSB) | E(IBRS)},
        {"xeon_silver_4214", E(VERW) | E(FILL_RSB)},
        {"core_i9_12900k", E(VERW) | E(FILL_RSB)},
        {"epyc_7742", E(FILL_RSB) | E(IBPB)},
        {"ryzen_9_7950x", E(VERW) | E(FILL_RSB) | E(IBPB)},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), RECORDINGS "/%s.txt", rows[i].recording);
        recording_load(path);
        const struct issue_facts facts = facts_of_recording();
        assert_int_equal(entry_measures(&facts, MITIGATIONS_AUTO), rows[i].entry);
        assert_int_equal(entry_measures(&facts, MITIGATIONS_ALL), rows[i].entry);
        assert_int_equal(entry_measures(&facts, MITIGATIONS_OFF), 0);
    }
}

static void check_protected(void)
{
    const struct issue_facts facts = facts_of_recording();

    if (is_affected(ISSUE_SPECTRE_V2, &facts) &&
        (issue_controls(issue_decide(ISSUE_SPECTRE_V2, &facts, MITIGATIONS_AUTO).chosen)
             .entry == 0))
        fail_msg("%s: exits without a measure", recording.path);
}

/* An exit without a measure is handled without retpolines: src/vmx/vcpu.c. */
static void test_protected_exits(void **state)
{
    (void)state;
    assert_in_range(recordings_visit(check_protected), 70, SIZE_MAX);
}

/* Models and steppings at the limits of the lists; the microcode with Zenbleed's fix. */
static void test_facts(void **state)
{
    static const struct {
        uint32_t signature;
        enum microarchitecture micro;
    } intel[] = {
        {0x50655, MICRO_SKYLAKE_SERVER}, {0x50656, MICRO_CASCADE_LAKE},
        {0x806EB, MICRO_KABY_LAKE},      {0x806EC, MICRO_COFFEE_LAKE_REFRESH},
        {0x906EC, MICRO_KABY_LAKE},      {0x906ED, MICRO_COFFEE_LAKE_REFRESH},
        {0x00F64, MICRO_NETBURST},       {0xFF6F1, MICRO_INTEL_OTHER},
    };
    struct cpuid_snapshot cpuid = {.leaf_0 = {0, 0x756E6547, 0x6C65746E, 0x49656E69}};
    struct issue_registers registers = {.cpuid = &cpuid};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(intel); i++) {
        cpuid.leaf_1.eax = intel[i].signature;
        assert_int_equal(microarchitecture_of(&cpuid), intel[i].micro);
        assert_true(strlen(microarchitecture_name(intel[i].micro)) > 0);
    }
    cpuid.leaf_0     = (struct cpuid_result){0, 0x68747541, 0x444D4163, 0x69746E65};
    cpuid.leaf_1.eax = 0x00870F10; /* model 71H */
    assert_int_equal(microarchitecture_of(&cpuid), MICRO_ZEN_2);
    registers.microcode = 0x08701032;
    assert_int_equal(issue_facts_of(&registers).traits, 0);
    registers.microcode = 0x08701033;
    assert_int_equal(issue_facts_of(&registers).traits, BIT(TRAIT_ZENBLEED_FIX));
    cpuid.leaf_1.ecx               = (uint32_t)CPUID_1_ECX_HYPERVISOR;
    cpuid.leaf_80000008.ebx        = (uint32_t)BIT(12);
    registers.has_siblings         = true;
    registers.has_shadow_stacks    = true;
    registers.arch_capabilities    = reading_of(BIT(0));
    const struct issue_facts facts = issue_facts_of(&registers);
    assert_true(facts.is_nested);
    assert_int_equal(facts.traits, BIT(TRAIT_ZENBLEED_FIX) | BIT(TRAIT_IBPB) |
                                       BIT(TRAIT_SIBLINGS) | BIT(TRAIT_RDCL_NO) |
                                       BIT(TRAIT_SHADOW_STACKS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linux),           cmocka_unit_test(test_reports),
        cmocka_unit_test(test_intel),           cmocka_unit_test(test_newer),
        cmocka_unit_test(test_facts),           cmocka_unit_test(test_entry_measures),
        cmocka_unit_test(test_protected_exits),
    };
    return cmocka_run_group_tests_name("issues", tests, NULL, NULL);
}
