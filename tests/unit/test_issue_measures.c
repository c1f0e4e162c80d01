/*
 * src/virt/issues.c: the measures against each issue, by what the microcode supports and
 * mitigations= selects, and what a CPU writes for them.
 */
#include "unit.h"

#include "check/isolation.h"
#include "virt/issues.h"

static void assert_measures(enum issue issue, const struct issue_facts *facts,
                            enum mitigations mitigations, uint64_t chosen,
                            uint64_t lacking)
{
    struct issue_finding finding = issue_decide(issue, facts, mitigations);
    if (finding.chosen != chosen || finding.lacking != lacking)
        fail_msg("%s: 0x%x and 0x%x", issue_rows[issue].key, finding.chosen,
                 finding.lacking);
}

#define M(measure) BIT(MEASURE_##measure)

/* The microcode decides what is possible, and mitigations= what is wanted. */
static void test_measures(void **state)
{
    struct issue_facts facts = {.micro = MICRO_SKYLAKE};

    (void)state;
    assert_measures(ISSUE_SPECTRE_V2, &facts, MITIGATIONS_AUTO,
                    M(RETPOLINE) | M(FILL_RSB), M(IBPB) | M(GUEST_CONTROLS));
    facts.traits |= BIT(TRAIT_IBPB);
    assert_measures(ISSUE_SPECTRE_V2, &facts, MITIGATIONS_AUTO,
                    M(RETPOLINE) | M(FILL_RSB) | M(IBPB) | M(GUEST_CONTROLS), 0);
    facts.traits |= BIT(TRAIT_ENHANCED_IBRS);
    assert_measures(
        ISSUE_SPECTRE_V2, &facts, MITIGATIONS_AUTO,
        M(RETPOLINE) | M(ENHANCED_IBRS) | M(FILL_RSB) | M(IBPB) | M(GUEST_CONTROLS), 0);
    assert_measures(ISSUE_SPECTRE_V2, &facts, MITIGATIONS_OFF, 0, 0);
    assert_measures(ISSUE_MELTDOWN, &facts, MITIGATIONS_OFF, M(OWN_TABLES), 0);
    assert_measures(ISSUE_ITLB_MULTIHIT, &facts, MITIGATIONS_AUTO, M(SMALL_PAGES), 0);
    assert_measures(ISSUE_ITLB_MULTIHIT, &facts, MITIGATIONS_OFF, 0, 0);
    assert_measures(ISSUE_MDS, &facts, MITIGATIONS_AUTO, 0, M(VERW));
    facts.traits |= BIT(TRAIT_MD_CLEAR) | BIT(TRAIT_SIBLINGS) | BIT(TRAIT_L1D_FLUSH);
    assert_measures(ISSUE_MDS, &facts, MITIGATIONS_AUTO, M(VERW) | M(CORE_PER_GUEST), 0);
    assert_measures(ISSUE_SIBLINGS, &facts, MITIGATIONS_AUTO, 0, 0);
    assert_measures(ISSUE_SIBLINGS, &facts, MITIGATIONS_ALL, M(CORE_PER_GUEST), 0);
    assert_measures(ISSUE_L1TF, &facts, MITIGATIONS_AUTO,
                    M(FLUSH_L1D) | M(CORE_PER_GUEST), 0);
    facts.traits |= BIT(TRAIT_SKIP_L1DFL_VMENTRY);
    assert_measures(ISSUE_L1TF, &facts, MITIGATIONS_AUTO, M(CORE_PER_GUEST), 0);
    facts.traits &= ~BIT(TRAIT_SIBLINGS);
    assert_measures(ISSUE_L1TF, &facts, MITIGATIONS_AUTO, 0, 0);
    facts.traits |= BIT(TRAIT_MDS_NO);
    assert_measures(ISSUE_MDS, &facts, MITIGATIONS_ALL, 0, 0);
    assert_measures(ISSUE_SRSO, &facts, MITIGATIONS_ALL, 0, 0);
}

/* Against predictions of branches and returns: the CPU's own way, else that of all. */
static void test_prediction_measures(void **state)
{
    struct issue_facts facts = {.micro = MICRO_SKYLAKE};

    (void)state;
    assert_measures(ISSUE_RETBLEED, &facts, MITIGATIONS_AUTO, M(FILL_RSB),
                    M(IBRS_ON_EXIT));
    facts.traits = BIT(TRAIT_IBRS);
    assert_measures(ISSUE_RETBLEED, &facts, MITIGATIONS_AUTO,
                    M(FILL_RSB) | M(IBRS_ON_EXIT), 0);
    assert_measures(ISSUE_RETBLEED, &facts, MITIGATIONS_OFF, 0, 0);
    facts.micro = MICRO_CASCADE_LAKE;
    facts.traits |= BIT(TRAIT_ENHANCED_IBRS) | BIT(TRAIT_IBPB);
    assert_measures(ISSUE_RETBLEED, &facts, MITIGATIONS_AUTO,
                    M(FILL_RSB) | M(ENHANCED_IBRS), 0);
    assert_measures(ISSUE_BHI, &facts, MITIGATIONS_AUTO, M(RETPOLINE), 0);
    assert_measures(ISSUE_ITS, &facts, MITIGATIONS_AUTO,
                    M(RETPOLINE) | M(IBPB) | M(FILL_RSB) | M(ALIGN_RETURNS), 0);
    facts.micro = MICRO_ICE_LAKE; /* ITS within a mode only, and past IBPB */
    assert_measures(ISSUE_ITS, &facts, MITIGATIONS_AUTO,
                    M(RETPOLINE) | M(IBPB) | M(FILL_RSB), 0);
    facts.micro = MICRO_RAPTOR_LAKE;
    facts.traits |= BIT(TRAIT_RRSBA);
    assert_measures(ISSUE_BHI, &facts, MITIGATIONS_AUTO, M(RETPOLINE), M(RRSBA_DIS_S));
    facts.traits |= BIT(TRAIT_BHI_CTRL) | BIT(TRAIT_RRSBA_CTRL);
    assert_measures(ISSUE_BHI, &facts, MITIGATIONS_AUTO,
                    M(RETPOLINE) | M(BHI_DIS_S) | M(RRSBA_DIS_S), 0);
    facts.traits |= BIT(TRAIT_SHADOW_STACKS); /* instead of retpolines */
    assert_measures(ISSUE_BHI, &facts, MITIGATIONS_AUTO, M(BHI_DIS_S) | M(RRSBA_DIS_S),
                    0);
    assert_measures(ISSUE_SPECTRE_V2, &facts, MITIGATIONS_AUTO,
                    M(ENHANCED_IBRS) | M(IBPB) | M(FILL_RSB) | M(GUEST_CONTROLS), 0);
}

/* Before there is a record: by the signature, IA32_ARCH_CAPABILITIES and the option. */
static void test_aligned_returns(void **state)
{
    struct cpuid_snapshot cpuid = {.leaf_0 = {0, 0x756E6547, 0x6C65746E, 0x49656E69},
                                   .leaf_1 = {.eax = 0x50656}};
    const uint64_t none = 0, its_no = BIT(62);

    (void)state;
    assert_true(isolation_aligns_returns(&cpuid, none, MITIGATIONS_AUTO));
    assert_true(isolation_aligns_returns(&cpuid, none, MITIGATIONS_ALL));
    assert_false(isolation_aligns_returns(&cpuid, none, MITIGATIONS_OFF));
    assert_false(isolation_aligns_returns(&cpuid, its_no, MITIGATIONS_AUTO));
    cpuid.leaf_1.eax = 0x50654; /* Skylake */
    assert_false(isolation_aligns_returns(&cpuid, none, MITIGATIONS_ALL));
}

/* AMD's returns: a full RSB does not help; only IBPB does, if it reaches them. */
static void test_amd_measures(void **state)
{
    struct issue_facts facts = {.micro = MICRO_ZEN_2, .traits = BIT(TRAIT_IBPB)};

    (void)state;
    assert_measures(ISSUE_RETBLEED, &facts, MITIGATIONS_AUTO, M(IBPB_ON_EXIT), 0);
    assert_measures(ISSUE_SRSO, &facts, MITIGATIONS_AUTO, 0, M(IBPB) | M(IBPB_ON_EXIT));
    assert_measures(ISSUE_ZENBLEED, &facts, MITIGATIONS_AUTO, 0, 0); /* no AVX */
    facts.traits |= BIT(TRAIT_AVX);
    assert_measures(ISSUE_ZENBLEED, &facts, MITIGATIONS_AUTO, M(FP_BACKUP_FIX),
                    M(MICROCODE));
    facts.traits |= BIT(TRAIT_ZENBLEED_FIX);
    assert_measures(ISSUE_ZENBLEED, &facts, MITIGATIONS_OFF, M(MICROCODE), 0);
    facts.traits |= BIT(TRAIT_SIBLINGS); /* which can train in spite of IBPB */
    assert_measures(ISSUE_RETBLEED, &facts, MITIGATIONS_AUTO, M(IBPB_ON_EXIT), M(STIBP));
    facts.traits |= BIT(TRAIT_STIBP);
    assert_measures(ISSUE_RETBLEED, &facts, MITIGATIONS_AUTO, M(IBPB_ON_EXIT) | M(STIBP),
                    0);
    facts = (struct issue_facts){.micro  = MICRO_ZEN_5,
                                 .traits = BIT(TRAIT_IBPB) | BIT(TRAIT_IBPB_BRTYPE)};
    assert_measures(ISSUE_SRSO, &facts, MITIGATIONS_AUTO, M(IBPB) | M(IBPB_ON_EXIT), 0);
    facts.traits |= BIT(TRAIT_BP_SPEC_REDUCE);
    assert_measures(ISSUE_SRSO, &facts, MITIGATIONS_AUTO, M(IBPB) | M(BP_SPEC_REDUCE), 0);
    facts = (struct issue_facts){.micro = MICRO_ZEN_3, .traits = BIT(TRAIT_TSA_SQ_NO)};
    assert_measures(ISSUE_TSA, &facts, MITIGATIONS_AUTO, 0, M(VERW));
    facts.traits |= BIT(TRAIT_TSA_L1_NO); /* only both exclude it */
    assert_int_equal(issue_decide(ISSUE_TSA, &facts, 0).state, ISSUE_NOT_AFFECTED);
}

/* What a CPU writes, and its routine of entry.asm: docs/SECURITY.md, "Measures". */
static void test_controls(void **state)
{
    (void)state;
    struct guest_controls none = issue_controls(
        (uint32_t)(M(OWN_TABLES) | M(RETPOLINE) | M(SMALL_PAGES) | M(GUEST_CONTROLS)));
    assert_int_equal(
        none.pred_cmd | none.spec_ctrl | none.efer | none.de_cfg | none.entry, 0);
    struct guest_controls intel = issue_controls(
        (uint32_t)(M(IBPB) | M(ENHANCED_IBRS) | M(BHI_DIS_S) | M(VERW) | M(FILL_RSB)));
    assert_int_equal(intel.pred_cmd, 1);
    assert_int_equal(intel.spec_ctrl, 0x401);
    assert_int_equal(intel.efer | intel.de_cfg, 0);
    assert_int_equal(intel.entry, BIT(ENTRY_VERW) | BIT(ENTRY_FILL_RSB));
    struct guest_controls returns =
        issue_controls((uint32_t)(M(STIBP) | M(RRSBA_DIS_S) | M(BP_SPEC_REDUCE) |
                                  M(IBRS_ON_EXIT) | M(IBPB_ON_EXIT)));
    assert_int_equal(returns.spec_ctrl, BIT(1) | BIT(6));
    assert_int_equal(returns.bp_cfg, BIT(4));
    assert_int_equal(returns.entry, BIT(ENTRY_IBRS) | BIT(ENTRY_IBPB));
    struct guest_controls amd =
        issue_controls((uint32_t)(M(AUTOMATIC_IBRS) | M(FP_BACKUP_FIX) | M(FLUSH_L1D)));
    assert_int_equal(amd.efer, BIT(21));
    assert_int_equal(amd.de_cfg, BIT(9));
    assert_int_equal(amd.entry, BIT(ENTRY_FLUSH_L1D));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measures),
        cmocka_unit_test(test_prediction_measures),
        cmocka_unit_test(test_aligned_returns),
        cmocka_unit_test(test_amd_measures),
        cmocka_unit_test(test_controls),
    };
    return cmocka_run_group_tests_name("issue measures", tests, NULL, NULL);
}
