/* src/guest/cpuid_policy.c and msr_policy.c: what a guest sees of the processor. */
#include "unit.h"

#include "guest/cpuid_policy.h"
#include "guest/msr_policy.h"
#include "lib/bits.h"

#define TSC_HZ UINT64_C(2400000000)

static uint32_t last_basic, last_extended;

/* A processor that has every bit of everything. */
static struct cpuid_values all_ones(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    if (leaf == 0)
        return (struct cpuid_values){last_basic, 1, 2, 3};
    if (leaf == 0x80000000)
        return (struct cpuid_values){last_extended, 1, 2, 3};
    return (struct cpuid_values){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
}

static struct cpuid_answers answers;

static int start(void **state)
{
    (void)state;
    last_basic    = 0x20;
    last_extended = 0x80000008;
    cpuid_policy_make(&answers, TSC_HZ, all_ones);
    return 0;
}

static struct cpuid_values ask(uint32_t leaf, uint32_t subleaf)
{
    return cpuid_policy_answer(&answers, leaf, subleaf, &(struct cpuid_state){0, 1},
                               all_ones);
}

/* What Hymir does not stand behind, bit by bit, with the SDM's names. */
static void test_hidden(void **state)
{
    (void)state;
    static const struct {
        uint32_t leaf;
        char reg;
        int bit;
        const char *name;
    } hidden[] = {
        {1, 'c', 3, "MONITOR"},
        {1, 'c', 5, "VMX"},
        {1, 'c', 6, "SMX"},
        {1, 'c', 15, "PDCM"},
        {1, 'c', 21, "x2APIC"},
        {1, 'c', 24, "TSC-Deadline"},
        {1, 'c', 27, "OSXSAVE"},
        {1, 'd', 7, "MCE"},
        {1, 'd', 9, "APIC"},
        {1, 'd', 12, "MTRR"},
        {1, 'd', 14, "MCA"},
        {1, 'd', 21, "DS"},
        {1, 'd', 22, "ACPI"},
        {1, 'd', 28, "HTT"},
        {7, 'b', 1, "TSC_ADJUST"},
        {7, 'b', 2, "SGX"},
        {7, 'b', 4, "HLE"},
        {7, 'b', 11, "RTM"},
        {7, 'b', 12, "RDT-M"},
        {7, 'b', 14, "MPX"},
        {7, 'b', 25, "Intel PT"},
        {7, 'c', 3, "PKU"},
        {7, 'c', 7, "CET_SS"},
        {7, 'c', 16, "LA57"},
        {7, 'c', 29, "ENQCMD"},
        {7, 'c', 31, "PKS"},
        {7, 'd', 5, "UINTR"},
        {7, 'd', 15, "Hybrid"},
        {7, 'd', 24, "AMX-TILE"},
        {7, 'd', 26, "IBRS"},
        {7, 'd', 29, "ARCH_CAPABILITIES"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
        struct cpuid_values values = ask(hidden[i].leaf, 0);
        uint32_t reg               = hidden[i].reg == 'b'   ? values.ebx
                                     : hidden[i].reg == 'c' ? values.ecx
                                                            : values.edx;
        if ((reg & BIT(hidden[i].bit)) != 0)
            fail_msg("%s is shown", hidden[i].name);
    }
    static const uint32_t empty[] = {3, 5, 6, 9, 0xA, 0xB, 0xF, 0x10, 0x12, 0x14, 0x17};
    for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
        struct cpuid_values values = ask(empty[i], 0);
        assert_int_equal(values.eax | values.ebx | values.ecx | values.edx, 0);
    }
    assert_int_equal(ask(1, 0).ebx >> 24, 0); /* the APIC ID */
    assert_int_equal(ask(4, 0).eax >> 14, 0); /* how many share a cache */
}

static void test_shown(void **state)
{
    (void)state;
    assert_true((ask(1, 0).ecx & BIT(31)) != 0); /* a hypervisor */
    assert_true((ask(1, 0).ecx & BIT(26)) != 0); /* XSAVE */
    assert_true((ask(1, 0).edx & BIT(16)) != 0); /* PAT */
    assert_true((ask(7, 0).ecx & BIT(5)) != 0);  /* WAITPKG */
    assert_int_equal(ask(0, 0).ebx, 1);
    assert_int_equal(ask(0x80000008, 0).eax, 0xFFFF);
    struct cpuid_values hypervisor = ask(0x40000000, 0);
    assert_int_equal(hypervisor.eax, 0x40000001);
    assert_memory_equal(&hypervisor.ebx, "Hymi", 4);
    assert_memory_equal(&hypervisor.ecx, "rHym", 4);
    assert_memory_equal(&hypervisor.edx, "ir\0\0", 4);
}

/* OSXSAVE is what the guest made of its own CR4. */
static void test_osxsave(void **state)
{
    (void)state;
    struct cpuid_values values =
        cpuid_policy_answer(&answers, 1, 0, &(struct cpuid_state){BIT(18), 1}, all_ones);
    assert_true((values.ecx & BIT(27)) != 0);
}

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(ask(0, 0).eax, CPUID_BASIC_LEAVES - 1);
    static const uint32_t beyond[] = {0x18,       0x20,       0x3FFFFFFF, 0x40000002,
                                      0x7FFFFFFF, 0x80000009, 0xFFFFFFFF};
    struct cpuid_values last       = ask(CPUID_BASIC_LEAVES - 1, 0);
    for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
        struct cpuid_values values = ask(beyond[i], 0);
        assert_memory_equal(&values, &last, sizeof(values));
    }
    last_basic    = 1;
    last_extended = 0; /* a processor without extended leaves */
    cpuid_policy_make(&answers, TSC_HZ, all_ones);
    assert_int_equal(ask(0, 0).eax, 0x16); /* its TSC's frequency is told */
    assert_int_equal(ask(0x80000000, 0).eax, 0x80000000);
    assert_int_equal(ask(7, 0).ebx | ask(0xD, 0).eax | ask(0xD, 1).eax, 0);
}

static void test_subleaves(void **state)
{
    (void)state;
    assert_int_equal(ask(7, 1).eax | ask(7, 1).ebx | ask(7, 2).edx, 0);
    assert_int_equal(ask(0xD, 0).eax, GUEST_XCR0_ALLOWED);
    assert_int_equal(ask(0xD, 1).eax, 0xF); /* XSAVES, of no supervisor state */
    assert_int_equal(ask(0xD, 1).ecx | ask(0xD, 1).edx, 0);
    assert_int_equal(ask(0xD, 64).eax, 0);
    assert_int_equal(ask(0, UINT32_MAX).ebx, 1);
}

static void test_msrs(void **state)
{
    (void)state;
    static struct msr_shadows shadows;
    uint64_t value = 42;
    msr_policy_reset(&shadows);
    assert_true(msr_policy_read(&shadows, 0x1B, &value));
    assert_int_equal(value, 0xFEE00100);
    assert_true(msr_policy_read(&shadows, 0x3A, &value));
    assert_int_equal(value, 1);
    assert_false(msr_policy_write(&shadows, 0x3A, 5));
    assert_true(msr_policy_write(&shadows, 0x8B, 5));
    assert_true(msr_policy_read(&shadows, 0x8B, &value));
    assert_int_equal(value, 0);
    assert_true(msr_policy_write(&shadows, 0xE7, 77));
    assert_true(msr_policy_read(&shadows, 0xE7, &value));
    assert_int_equal(value, 77);
    assert_true(msr_policy_write(&shadows, 0x1D9, 0));
    assert_false(msr_policy_write(&shadows, 0x1D9, 1));
    assert_true(msr_policy_write(&shadows, 0xDA0, 0));
    assert_false(msr_policy_write(&shadows, 0xDA0, BIT(8))); /* no Intel PT state */
    static const uint32_t unknown[] = {0x10A,      0x480, 0x48C,      0x570,
                                       0xC0010015, 0x800, 0x40000000, UINT32_MAX};
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        value = 42;
        assert_false(msr_policy_read(&shadows, unknown[i], &value));
        assert_false(msr_policy_write(&shadows, unknown[i], 0));
        assert_int_equal(value, 42);
    }
}

/* Nothing of the machine's own is passed: only what VM entry loads or a guest alone uses.
 */
static void test_passed_msrs(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t i = 0; i < msr_passed_count; i++) {
        assert_true(msr_passed[i].first <= msr_passed[i].last);
        assert_true(msr_passed[i].last < 0x2000 || (msr_passed[i].first >= 0xC0000000 &&
                                                    msr_passed[i].last < 0xC0002000));
        count += msr_passed[i].last - msr_passed[i].first + 1;
    }
    assert_int_equal(count, 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_hidden, start),
        cmocka_unit_test_setup(test_shown, start),
        cmocka_unit_test_setup(test_osxsave, start),
        cmocka_unit_test_setup(test_limits, start),
        cmocka_unit_test_setup(test_subleaves, start),
        cmocka_unit_test(test_msrs),
        cmocka_unit_test(test_passed_msrs),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
