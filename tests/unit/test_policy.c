/* src/guest/cpuid_policy.c and msr_policy.c, and the tables of src/vmx/guest_policy.c. */
#include "unit.h"

#include "guest/hypercall.h"
#include "guest/msr_policy.h"
#include "guest_cpuid.h"
#include "lib/bits.h"
#include "virt/control_register_rules.h"
#include "vmx/guest_policy.h"

#define TSC_HZ UINT64_C(2400000000)

static uint32_t last_basic, last_extended;

/* Returns the CPUID of a processor with all bits set. */
static struct cpuid_result all_ones(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    if (leaf == 0)
        return (struct cpuid_result){last_basic, 1, 2, 3};
    if (leaf == 0x80000000)
        return (struct cpuid_result){last_extended, 1, 2, 3};
    return (struct cpuid_result){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
}

static struct cpuid_answers answers;

static int policy_start(void **state)
{
    (void)state;
    last_basic    = 0x24;
    last_extended = 0x80000008;
    guest_cpuid_init(&answers, &vmx_guest_cpuid, TSC_HZ, all_ones);
    return 0;
}

static struct cpuid_result ask_with(uint64_t cr4, uint32_t leaf, uint32_t subleaf)
{
    return cpuid_policy_answer(&answers, leaf, subleaf, &(struct cpuid_state){cr4, 1});
}

static struct cpuid_result cpuid_ask(uint32_t leaf, uint32_t subleaf)
{
    return ask_with(0, leaf, subleaf);
}

/* The hidden features, bit by bit, with the SDM's names. */
static void test_hidden(void **state)
{
    (void)state;
    static const struct {
        uint32_t leaf;
        char reg;
        int bit;
        const char *name;
    } hidden[] = {
        {1, 'c', 3, "MONITOR"},    {1, 'c', 5, "VMX"},
        {1, 'c', 6, "SMX"},        {1, 'c', 15, "PDCM"},
        {1, 'c', 27, "OSXSAVE"},   {1, 'd', 7, "MCE"},
        {1, 'd', 9, "APIC"},       {1, 'd', 12, "MTRR"},
        {1, 'd', 14, "MCA"},       {1, 'd', 21, "DS"},
        {1, 'd', 22, "ACPI"},      {1, 'd', 28, "HTT"},
        {7, 'b', 1, "TSC_ADJUST"}, {7, 'b', 2, "SGX"},
        {7, 'b', 4, "HLE"},        {7, 'b', 11, "RTM"},
        {7, 'b', 12, "RDT-M"},     {7, 'b', 14, "MPX"},
        {7, 'b', 25, "Intel PT"},  {7, 'c', 4, "OSPKE"},
        {7, 'c', 7, "CET_SS"},     {7, 'c', 16, "LA57"},
        {7, 'c', 29, "ENQCMD"},    {7, 'c', 31, "PKS"},
        {7, 'd', 5, "UINTR"},      {7, 'd', 15, "Hybrid"},
        {7, 'd', 24, "AMX-TILE"},  {7, 'd', 30, "CORE_CAPABILITIES"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
        struct cpuid_result values = cpuid_ask(hidden[i].leaf, 0);
        uint32_t reg               = hidden[i].reg == 'b'   ? values.ebx
                                     : hidden[i].reg == 'c' ? values.ecx
                                                            : values.edx;
        if ((reg & BIT(hidden[i].bit)) != 0)
            fail_msg("%s is shown", hidden[i].name);
    }
    static const uint32_t empty[] = {3, 5, 9, 0xA, 0xF, 0x10, 0x12, 0x14, 0x17, 0x1A};
    for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
        struct cpuid_result values = cpuid_ask(empty[i], 0);
        assert_int_equal(values.eax | values.ebx | values.ecx | values.edx, 0);
    }
    assert_int_equal(cpuid_ask(1, 0).ebx >> 16, 1); /* APIC ID 0, one processor */
    assert_int_equal(cpuid_ask(4, 0).eax >> 10, 0); /* which shares no cache */
}

static void test_shown(void **state)
{
    (void)state;
    assert_true((cpuid_ask(1, 0).ecx & BIT(31)) != 0); /* a hypervisor */
    assert_true((cpuid_ask(1, 0).ecx & BIT(26)) != 0); /* XSAVE */
    assert_true((cpuid_ask(1, 0).edx & BIT(16)) != 0); /* PAT */
    assert_true((cpuid_ask(7, 0).ecx & BIT(5)) != 0);  /* WAITPKG */
    assert_int_equal(cpuid_ask(0, 0).ebx, 1);
    assert_int_equal(cpuid_ask(0x80000008, 0).eax, 0x30FF); /* no five-level paging */
    assert_true((cpuid_ask(7, 0).ebx & BIT(6)) != 0);       /* what the FPU does not do */
    assert_true((cpuid_ask(7, 0).ebx & BIT(13)) != 0);
    struct cpuid_result hypervisor = cpuid_ask(0x40000000, 0);
    assert_int_equal(hypervisor.eax, 0x40000001);
    assert_memory_equal(&hypervisor.ebx, "HymirHymir\0", 12);
    struct cpuid_result version = cpuid_ask(0x40000001, 0);
    char text[13]               = "";
    memcpy(text, &version.ebx, 12);
    assert_string_equal(text, HYMIR_VERSION);
    assert_int_equal(version.eax, HYPERCALL_INTERFACE);
}

/* OSXSAVE and OSPKE reflect the guest's CR4. */
static void test_enabled_features(void **state)
{
    (void)state;
    assert_true((ask_with(BIT(18), 1, 0).ecx & BIT(27)) != 0);
    assert_int_equal(ask_with(BIT(22), 7, 0).ecx & 0x18, 0x18);
    assert_int_equal(ask_with(BIT(22), 7, 1).ecx, 0);
}

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(cpuid_ask(0, 0).eax, CPUID_BASIC_LEAVES - 1);
    static const uint32_t beyond[] = {0x20,       0x21,       0x3FFFFFFF, 0x40000002,
                                      0x400000FF, 0x40000102, 0x40000200, 0x7FFFFFFF,
                                      0x80000009, 0xFFFFFFFF};
    struct cpuid_result last       = cpuid_ask(CPUID_BASIC_LEAVES - 1, 0);
    for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
        struct cpuid_result values = cpuid_ask(beyond[i], 0);
        assert_memory_equal(&values, &last, sizeof(values));
    }
    last_basic    = 1;
    last_extended = 0; /* a processor without extended leaves */
    guest_cpuid_init(&answers, &vmx_guest_cpuid, TSC_HZ, all_ones);
    assert_int_equal(cpuid_ask(0, 0).eax, 0x16); /* its TSC frequency is reported */
    assert_int_equal(cpuid_ask(0x80000000, 0).eax, 0x80000000);
    assert_int_equal(cpuid_ask(7, 0).ebx | cpuid_ask(0xD, 0).eax | cpuid_ask(0xD, 1).eax,
                     0);
}

static void test_subleaves(void **state)
{
    (void)state;
    assert_int_equal(cpuid_ask(7, 1).eax | cpuid_ask(7, 1).ebx | cpuid_ask(7, 3).edx, 0);
    assert_int_equal(cpuid_ask(7, 2).edx, 0x3F); /* of speculation */
    assert_int_equal(cpuid_ask(0xD, 0).eax, GUEST_XCR0_ALLOWED);
    assert_int_equal(cpuid_ask(0xD, 1).eax, 5); /* XSAVEOPT, XGETBV with ECX = 1 */
    assert_int_equal(cpuid_ask(0xD, 1).ecx | cpuid_ask(0xD, 1).edx, 0);
    assert_int_equal(cpuid_ask(0xD, 64).eax, 0);
    assert_int_equal(cpuid_ask(0, UINT32_MAX).ebx, 1);
}

/* A Skylake-X: its leaves 0xD, 0x15 and 0x16. */
static struct skylake {
    uint32_t last_basic, components, instructions;
    struct cpuid_result component[10], tsc, frequency;
} skylake;

static const struct skylake sound_skylake = {
    .last_basic   = 0x16,
    .components   = 0x2FF,
    .instructions = 0xF,
    .component    = {[2] = {256, 576, 0, 0},
                     [3] = {64, 960, 0, 0},
                     [4] = {64, 1024, 0, 0},
                     [5] = {64, 1088, 0, 0},
                     [6] = {512, 1152, 0, 0},
                     [7] = {1024, 1664, 0, 0},
                     [8] = {128, 0, 1, 0}, /* Intel PT, in IA32_XSS */
                     [9] = {8, 2688, 0, 0}},
    .tsc          = {2, 200, 24000000, 0},
    .frequency    = {2400, 4000, 100, 0},
};

static struct cpuid_result read_skylake(uint32_t leaf, uint32_t subleaf)
{
    if (leaf == 0)
        return (struct cpuid_result){skylake.last_basic, 1, 2, 3};
    if (leaf == 0xD && subleaf == 0)
        return (struct cpuid_result){skylake.components, 2696, 2696, 0};
    if (leaf == 0xD && subleaf == 1)
        return (struct cpuid_result){skylake.instructions, 2440, 0x100, 0};
    if (leaf == 0xD)
        return subleaf < 10 ? skylake.component[subleaf] : (struct cpuid_result){0};
    return leaf == 0x15   ? skylake.tsc
           : leaf == 0x16 ? skylake.frequency
                          : all_ones(leaf, subleaf);
}

static struct cpuid_result skylake_ask(uint32_t leaf, uint32_t subleaf, uint64_t xcr0)
{
    guest_cpuid_init(&answers, &vmx_guest_cpuid, TSC_HZ, read_skylake);
    return cpuid_policy_answer(&answers, leaf, subleaf, &(struct cpuid_state){0, xcr0});
}

static void expect_skylake(uint32_t leaf, uint32_t subleaf, uint64_t xcr0,
                           struct cpuid_result expected)
{
    struct cpuid_result values = skylake_ask(leaf, subleaf, xcr0);
    assert_memory_equal(&values, &expected, sizeof(values));
}

static int start_skylake(void **state)
{
    skylake = sound_skylake;
    return policy_start(state);
}

static void test_xsave_sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t xcr0;
        uint32_t size;
    } cases[] = {{1, 576}, {3, 576}, {7, 832}, {0xE7, 2688}, {0x2E7, 2696}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect_skylake(0xD, 0, cases[i].xcr0,
                       (struct cpuid_result){0x2E7, cases[i].size, 2696, 0});
}

/* XSAVEC and XSAVES are hidden, so there is no compacted size. */
static void test_xsave_instructions(void **state)
{
    (void)state;
    for (uint32_t instructions = 0; instructions < 0x20; instructions++) {
        skylake.instructions = instructions;
        expect_skylake(0xD, 1, 7, (struct cpuid_result){instructions & 5, 0, 0, 0});
    }
}

static void test_xsave_components(void **state)
{
    (void)state;
    static const uint32_t shown[]  = {2, 5, 6, 7, 9};
    static const uint32_t hidden[] = {3,  4,  8,  10, 31, 32,         34,
                                      37, 63, 64, 66, 69, 0x10000002, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        expect_skylake(0xD, shown[i], 1, sound_skylake.component[shown[i]]);
    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
        expect_skylake(0xD, hidden[i], 0x2E7, (struct cpuid_result){0});
    skylake.components = 0x1F; /* one without AVX-512 */
    expect_skylake(0xD, 0, 7, (struct cpuid_result){7, 832, 832, 0});
    expect_skylake(0xD, 5, 7, (struct cpuid_result){0});
}

/* The processor's ratio and its leaf 16H are kept; the crystal's frequency is added. */
static void test_frequency_exact(void **state)
{
    (void)state;
    static const uint32_t crystals[] = {24000000, 0, 38400000};
    for (size_t i = 0; i < ARRAY_SIZE(crystals); i++) {
        skylake.tsc.ecx = crystals[i];
        expect_skylake(0x15, 0, 1, (struct cpuid_result){2, 200, 24000000, 0});
        expect_skylake(0x16, 0, 1, sound_skylake.frequency);
        assert_int_equal(answers.last_basic, 0x16);
    }
    skylake.last_basic = 0x15;
    expect_skylake(0x15, 0, 1, (struct cpuid_result){2, 200, 24000000, 0});
    expect_skylake(0x16, 0, 1, (struct cpuid_result){2400, 2400, 0, 0});
    guest_cpuid_init(&answers, &vmx_guest_cpuid, TSC_HZ - 1, read_skylake);
    assert_int_equal(answers.basic[0x16].eax, 2400); /* the nearest MHz */
}

/* A ratio that is missing, impossible, or inexact in kHz is replaced. */
static void test_frequency_ratio(void **state)
{
    (void)state;
    static const struct cpuid_result replaced[] = {
        {0, 0, 0, 0},          {2, 0, 1, 0},   {0, 200, 24000000, 0},
        {UINT32_MAX, 1, 1, 0}, {2, 292, 1, 0},
    };
    static const uint64_t frequencies[] = {TSC_HZ, 9600000000};
    for (size_t i = 0; i < ARRAY_SIZE(replaced) * 2; i++) {
        skylake.tsc = replaced[i / 2];
        guest_cpuid_init(&answers, &vmx_guest_cpuid, frequencies[i % 2], read_skylake);
        struct cpuid_result values = answers.basic[0x15];
        assert_int_not_equal(values.eax, 0);
        assert_int_equal((uint64_t)values.ecx * values.ebx / values.eax,
                         frequencies[i % 2]);
        assert_int_equal((uint64_t)values.ecx / 1000 * values.ebx / values.eax,
                         frequencies[i % 2] / 1000);
        assert_int_equal(values.edx, 0);
    }
}

/* A frequency that is not exact is not reported, whatever the processor says. */
static void test_frequency_unknown(void **state)
{
    (void)state;
    static const uint32_t last[]             = {0xD, 0x15, 0x16, 0x1F};
    static const struct cpuid_result zero[2] = {0};
    for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
        skylake.last_basic = last[i];
        guest_cpuid_init(&answers, &vmx_guest_cpuid, 0, read_skylake);
        assert_memory_equal(&answers.basic[0x15], zero, sizeof(zero));
        assert_int_equal(answers.last_basic, last[i]);
    }
}

/* An older processor, without the leaves in between. */
static void test_frequency_beyond_last(void **state)
{
    (void)state;
    static const uint32_t last[] = {0xD, 0xF, 0x14};
    for (size_t i = 0; i < ARRAY_SIZE(last); i++) {
        skylake.last_basic         = last[i];
        struct cpuid_result values = skylake_ask(0x15, 0, 1);
        assert_int_equal((uint64_t)values.ecx * values.ebx / values.eax, TSC_HZ);
        assert_int_equal(skylake_ask(0, 0, 1).eax, 0x16);
        for (uint32_t leaf = last[i] + 1; leaf < 0x15; leaf++)
            expect_skylake(leaf, 0, 1, (struct cpuid_result){0});
        expect_skylake(0x17, 0, 1, skylake_ask(0x16, 0, 1)); /* as on Intel's */
    }
}

/* A plain answer does not depend on the state of the guest. */
static void test_plain(void **state)
{
    (void)state;
    guest_cpuid_init(&answers, &vmx_guest_cpuid, TSC_HZ, read_skylake);
    for (uint32_t leaf = answers.last_basic + 1; leaf < CPUID_BASIC_LEAVES; leaf++)
        assert_null(answers.plain[leaf]);
    for (uint32_t i = 0; i < CPUID_BASIC_LEAVES * 4; i++) {
        const struct cpuid_state states[] = {{0, 1}, {BIT(18), 0xE7}};
        struct cpuid_result values =
            cpuid_policy_answer(&answers, i / 4, i % 2 * 3, &states[i / 2 % 2]);
        if (answers.plain[i / 4] != NULL)
            assert_memory_equal(&values, &answers.basic[i / 4], sizeof(values));
    }
}

static void test_msrs(void **state)
{
    (void)state;
    static struct guest_msrs msrs;
    msr_policy_reset(&msrs, &vmx_guest_msrs, NULL);
    assert_null(msr_policy_find(&msrs, 0x1B)); /* the local APIC has it */
    assert_int_equal(msr_policy_find(&msrs, 0x3A)->value, 1);
    assert_false(msr_row_write(msr_policy_find(&msrs, 0x3A), 5));
    assert_true(msr_row_write(msr_policy_find(&msrs, 0x8B), 5));
    assert_int_equal(msr_policy_find(&msrs, 0x8B)->value, 0);
    assert_true(msr_row_write(msr_policy_find(&msrs, 0xE7), 77));
    assert_int_equal(msr_policy_find(&msrs, 0xE7)->value, 77);
    static const uint32_t unknown[] = {0x1B,  0x10A,      0xDA0, 0x480,      0x48C,
                                       0x570, 0xC0010015, 0x800, 0x40000000, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        assert_null(msr_policy_find(&msrs, unknown[i]));
    msr_policy_reset(&msrs, &vmx_guest_msrs, &(uint64_t){BIT(0) | BIT(7)}); /* RDCL_NO */
    assert_int_equal(msr_policy_find(&msrs, 0x10A)->value, 1);
}

/* Only MSRs that VM entry loads, or that only the guest uses, are passed through. */
static void test_passed_msrs(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t i = 0; i < vmx_passed_msr_count; i++) {
        assert_true(vmx_passed_msrs[i].first <= vmx_passed_msrs[i].last);
        assert_true(vmx_passed_msrs[i].last < 0x2000 ||
                    (vmx_passed_msrs[i].first >= 0xC0000000 &&
                     vmx_passed_msrs[i].last < 0xC0002000));
        count += vmx_passed_msrs[i].last - vmx_passed_msrs[i].first + 1;
    }
    assert_int_equal(count, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_hidden, policy_start),
        cmocka_unit_test_setup(test_shown, policy_start),
        cmocka_unit_test_setup(test_enabled_features, policy_start),
        cmocka_unit_test_setup(test_limits, policy_start),
        cmocka_unit_test_setup(test_subleaves, policy_start),
        cmocka_unit_test_setup(test_xsave_sizes, start_skylake),
        cmocka_unit_test_setup(test_xsave_instructions, start_skylake),
        cmocka_unit_test_setup(test_xsave_components, start_skylake),
        cmocka_unit_test_setup(test_frequency_exact, start_skylake),
        cmocka_unit_test_setup(test_frequency_ratio, start_skylake),
        cmocka_unit_test_setup(test_frequency_unknown, start_skylake),
        cmocka_unit_test_setup(test_frequency_beyond_last, start_skylake),
        cmocka_unit_test_setup(test_plain, start_skylake),
        cmocka_unit_test(test_msrs),
        cmocka_unit_test(test_passed_msrs),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
