/*
 * src/guest/speculation_policy.c: the bits of IA32_SPEC_CTRL and IA32_ARCH_CAPABILITIES
 * that guests have, by what their processor's CPUID reports.
 */
#include "unit.h"

#include "guest/speculation_policy.h"
#include "lib/bits.h"
#include "x86/msr.h"

/* Real processors: leaf 07H, its subleaf 2, and leaf 80000008H. */
static void test_spec_ctrl(void **state)
{
    (void)state;
    static const struct {
        uint32_t edx, subleaf_edx, ebx;
        uint64_t bits;
    } rows[] = {
        {0x00000000, 0, 0x00000000, 0},     /* before 2018 */
        {0x9C000400, 0, 0x00000000, 7},     /* Skylake: IBRS, STIBP, SSBD */
        {0x0C000000, 0, 0x00000000, 3},     /* its first microcode */
        {0x9C002400, 0, 0x00000000, 7},     /* Haswell */
        {0xBC040412, 0x17, 0, 0x4FF},       /* Alder Lake: all but DDPD_U */
        {0, 0, 0x00001000, 0},              /* Zen 1: IBPB alone */
        {0, 0, 0x010CF207, 7},              /* Zen 2 */
        {0, 0, 0x111EF657, 0x87},           /* Zen 3: PSFD too */
        {0xFFFFFFFF, UINT32_MAX, 0, 0x5FF}, /* all that is defined */
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(
            speculation_policy_spec_ctrl(rows[i].edx, rows[i].subleaf_edx, rows[i].ebx),
            rows[i].bits);
    assert_int_equal(speculation_policy_spec_ctrl(UINT32_MAX, UINT32_MAX, UINT32_MAX) &
                         SPEC_CTRL_RESERVED,
                     0);
}

/* The subleaf has no bit whose meaning is not known. */
static void test_subleaf(void **state)
{
    (void)state;
    assert_int_equal(speculation_policy_subleaf(UINT32_MAX), 0x3F);
    assert_int_equal(speculation_policy_subleaf(0x17), 0x17);
}

/* Announced MSRs that guests lack, such as IA32_TSX_CTRL, are not announced to them. */
static void test_capabilities(void **state)
{
    (void)state;
    static const unsigned int hidden[] = {7,  9,  10, 11, 12, 18, 21,
                                          22, 23, 25, 29, 61, 63};
    static const unsigned int shown[]  = {0,  1,  2,  3,  4,  5,  6,  8,  13, 14,
                                          15, 17, 19, 20, 24, 26, 27, 28, 62};

    for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
        assert_int_equal(speculation_policy_capabilities(BIT(hidden[i])), 0);
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        assert_int_equal(speculation_policy_capabilities(BIT(shown[i])), BIT(shown[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spec_ctrl),
        cmocka_unit_test(test_subleaf),
        cmocka_unit_test(test_capabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
