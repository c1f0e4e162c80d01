/*
 * src/virt/issue_facts.c: the traits that the microcode has, though no bit of CPUID or
 * IA32_ARCH_CAPABILITIES reports them, and those that depend on several bits.
 */
#include "unit.h"

#include "virt/issues.h"
#include "x86/msr.h"

#define T(trait)   BIT(TRAIT_##trait)
#define M(measure) BIT(MEASURE_##measure)

/* An AMD processor of a signature, and an Intel one. */
static struct cpuid_snapshot amd(uint32_t signature)
{
    return (struct cpuid_snapshot){.leaf_0 = {0, 0x68747541, 0x444D4163, 0x69746E65},
                                   .leaf_1 = {.eax = signature}};
}

static struct cpuid_snapshot intel(uint32_t signature)
{
    return (struct cpuid_snapshot){.leaf_0 = {0, 0x756E6547, 0x6C65746E, 0x49656E69},
                                   .leaf_1 = {.eax = signature}};
}

/* Asserts the measures against an issue, by mitigations=auto. */
static void assert_measures(const struct issue_registers *registers, enum issue issue,
                            uint64_t chosen, uint64_t lacking)
{
    const struct issue_facts facts     = issue_facts_of(registers);
    const struct issue_finding finding = issue_decide(issue, &facts, MITIGATIONS_AUTO);

    if (finding.chosen != chosen || finding.lacking != lacking)
        fail_msg("%s: 0x%x and 0x%x", issue_rows[issue].key, finding.chosen,
                 finding.lacking);
}

/* VERW clears buffers with the revisions of AMD's list, or where CPUID says so. */
static void test_tsa(void **state)
{
    static const struct {
        uint32_t signature, microcode;
        bool has_verw;
    } processors[] = {
        {0x00A20F12, 0x0A201210, false}, {0x00A20F12, 0x0A201211, true},
        {0x00A50F00, 0x0A500011, false}, {0x00A50F00, 0x0A500012, true},
        {0x00A10F11, 0x0A10114B, false}, {0x00A10F11, 0x0A10114C, true},
        {0x00A10F11, 0x0A101200, false}, /* another stepping's */
        {0x00A10F10, 0x0A1010FF, false}, /* not in the list */
        {0x00AA0F02, 0x0AA00215, false}, {0x00AA0F02, 0x0AA00216, true},
        {0x00AA0F02, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(processors); i++) {
        struct cpuid_snapshot cpuid      = amd(processors[i].signature);
        struct issue_registers registers = {.cpuid     = &cpuid,
                                            .microcode = processors[i].microcode};

        assert_measures(&registers, ISSUE_TSA, processors[i].has_verw ? M(VERW) : 0,
                        processors[i].has_verw ? 0 : M(VERW));
        cpuid.leaf_1.ecx = (uint32_t)CPUID_1_ECX_HYPERVISOR; /* reports its own */
        assert_measures(&registers, ISSUE_TSA, 0, M(VERW));
        cpuid.leaf_80000021.eax = (uint32_t)CPUID_80000021_EAX_VERW_CLEAR;
        assert_measures(&registers, ISSUE_TSA, M(VERW), 0);
    }
}

/* IBPB clears all types of branches on Zen 1 and 2, with SBPB, or by CPUID. */
static void test_srso(void **state)
{
    const uint64_t barriers          = M(IBPB) | M(IBPB_ON_EXIT);
    struct cpuid_snapshot cpuid      = amd(0x00870F10);
    struct issue_registers registers = {.cpuid = &cpuid};

    (void)state;
    assert_measures(&registers, ISSUE_SRSO, 0, barriers);
    cpuid.leaf_80000008.ebx = (uint32_t)CPUID_80000008_EBX_IBPB;
    assert_measures(&registers, ISSUE_SRSO, barriers, 0);
    cpuid.leaf_1.ecx = (uint32_t)CPUID_1_ECX_HYPERVISOR;
    assert_measures(&registers, ISSUE_SRSO, 0, barriers);
    cpuid                   = amd(0x00A20F12);
    cpuid.leaf_80000008.ebx = (uint32_t)CPUID_80000008_EBX_IBPB;
    assert_measures(&registers, ISSUE_SRSO, 0, barriers);
    registers.accepts_sbpb = true;
    assert_measures(&registers, ISSUE_SRSO, barriers, 0);
    registers.accepts_sbpb  = false;
    cpuid.leaf_80000021.eax = (uint32_t)CPUID_80000021_EAX_IBPB_BRTYPE;
    assert_measures(&registers, ISSUE_SRSO, barriers, 0);
}

/* What VERW clears, by the bits that report it: of Intel's processors with each. */
static void test_verw(void **state)
{
    static const struct {
        uint32_t signature;
        uint64_t edx, capabilities;
        uint64_t taa_chosen, taa_lacking, mmio_chosen, mmio_lacking;
    } processors[] = {
        /* Skylake: MDS, whose microcode has L1D_FLUSH and MD_CLEAR */
        {0x506E3, 0, 0, 0, M(VERW), 0, M(VERW)},
        {0x506E3, CPUID_7_EDX_MD_CLEAR, 0, M(VERW), 0, 0, M(VERW)},
        {0x506E3, CPUID_7_EDX_MD_CLEAR | CPUID_7_EDX_L1D_FLUSH, 0, M(VERW), 0, M(VERW),
         0},
        /* Cascade Lake: no MDS, so that MD_CLEAR alone says nothing */
        {0x50657, CPUID_7_EDX_MD_CLEAR | CPUID_7_EDX_L1D_FLUSH, ARCH_CAPABILITIES_MDS_NO,
         0, M(VERW), 0, M(VERW)},
        {0x50657, CPUID_7_EDX_MD_CLEAR | CPUID_7_EDX_L1D_FLUSH,
         ARCH_CAPABILITIES_MDS_NO | ARCH_CAPABILITIES_TSX_CTRL, M(VERW), 0, 0, M(VERW)},
        {0x50657, CPUID_7_EDX_MD_CLEAR,
         ARCH_CAPABILITIES_MDS_NO | ARCH_CAPABILITIES_FB_CLEAR, 0, M(VERW), M(VERW), 0},
        {0x50657, CPUID_7_EDX_MD_CLEAR,
         ARCH_CAPABILITIES_MDS_NO | ARCH_CAPABILITIES_TSX_CTRL |
             ARCH_CAPABILITIES_FB_CLEAR,
         M(VERW), 0, M(VERW), 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(processors); i++) {
        struct cpuid_snapshot cpuid      = intel(processors[i].signature);
        cpuid.leaf_7.ebx                 = (uint32_t)CPUID_7_EBX_RTM;
        cpuid.leaf_7.edx                 = (uint32_t)processors[i].edx;
        struct issue_registers registers = {
            .cpuid             = &cpuid,
            .arch_capabilities = {.value = processors[i].capabilities,
                                  .state = MSR_READ}};

        assert_measures(&registers, ISSUE_TAA, processors[i].taa_chosen,
                        processors[i].taa_lacking);
        assert_measures(&registers, ISSUE_MMIO, processors[i].mmio_chosen,
                        processors[i].mmio_lacking);
    }
}

/* The fixes of SRBDS and GDS, which IA32_MCU_OPT_CTRL can switch off. */
static void test_mcu_opt_ctrl(void **state)
{
    static const struct {
        struct msr_reading reading;
        uint64_t srbds_chosen, srbds_lacking, gds_chosen, gds_lacking;
    } readings[] = {
        {{0, MSR_READ, 0}, M(MICROCODE), 0, M(MICROCODE), 0},
        {{BIT(5), MSR_READ, 0}, M(MICROCODE), 0, M(MICROCODE), 0}, /* GDS_MITG_LOCK */
        {{BIT(0), MSR_READ, 0}, M(SWITCH_ON), 0, M(MICROCODE), 0},
        {{BIT(4), MSR_READ, 0}, M(MICROCODE), 0, M(SWITCH_ON), 0},
        {{0, MSR_FAULTED, 13}, 0, M(MICROCODE), 0, M(MICROCODE)},
        {{0, MSR_NOT_READ, 0}, 0, M(MICROCODE), 0, M(MICROCODE)},
    };
    struct cpuid_snapshot cpuid = intel(0x506E3);

    (void)state;
    cpuid.leaf_1.ecx                 = (uint32_t)(CPUID_1_ECX_RDRAND | CPUID_1_ECX_AVX);
    struct issue_registers registers = {.cpuid        = &cpuid,
                                        .mcu_opt_ctrl = readings[0].reading};
    assert_measures(&registers, ISSUE_SRBDS, 0, M(MICROCODE)); /* older microcode */
    assert_measures(&registers, ISSUE_GDS, 0, M(MICROCODE));
    cpuid.leaf_7.edx                  = (uint32_t)CPUID_7_EDX_SRBDS_CTRL;
    registers.arch_capabilities.value = ARCH_CAPABILITIES_GDS_CTRL;
    for (size_t i = 0; i < ARRAY_SIZE(readings); i++) {
        registers.mcu_opt_ctrl = readings[i].reading;
        assert_measures(&registers, ISSUE_SRBDS, readings[i].srbds_chosen,
                        readings[i].srbds_lacking);
        assert_measures(&registers, ISSUE_GDS, readings[i].gds_chosen,
                        readings[i].gds_lacking);
    }
    assert_int_equal(issue_controls((uint32_t)M(SWITCH_ON)).mcu_opt_ctrl,
                     BIT(0) | BIT(4));
    assert_int_equal(issue_controls((uint32_t)M(MICROCODE)).mcu_opt_ctrl, 0);
}

/* A guest sees in CPUID what it cannot see in the revision. */
static void test_guest_features(void **state)
{
    struct issue_facts facts = {.traits =
                                    ~(BIT(TRAIT_VERW_CLEAR) | BIT(TRAIT_IBPB_BRTYPE))};

    (void)state;
    assert_int_equal(issue_guest_features(&facts), 0);
    facts.traits = BIT(TRAIT_VERW_CLEAR);
    assert_int_equal(issue_guest_features(&facts), BIT(5));
    facts.traits = BIT(TRAIT_IBPB_BRTYPE);
    assert_int_equal(issue_guest_features(&facts), BIT(28));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tsa),
        cmocka_unit_test(test_srso),
        cmocka_unit_test(test_verw),
        cmocka_unit_test(test_mcu_opt_ctrl),
        cmocka_unit_test(test_guest_features),
    };
    return cmocka_run_group_tests_name("issue facts", tests, NULL, NULL);
}
