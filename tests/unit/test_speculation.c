/* src/cpu/speculation.c, on CPUs with a CPUID and MSRs that the test chooses. */
#include "unit.h"

#include "cpu/cpuid.h"
#include "cpu/percpu.h"

static struct cpu fake_cpu;
static struct cpuid_result leaf_0, leaf_1, leaf_7, leaf_80000000, leaf_80000008,
    leaf_8000001e;
static uint64_t spec_ctrl, ls_cfg, capabilities;
static unsigned int spec_ctrl_writes;
static bool refuses;

static uint32_t fake_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    assert_true(msr == 0x10A || msr == 0xC0011020);
    *value = msr == 0x10A ? capabilities : ls_cfg;
    return FAULT_NONE;
}

static uint32_t fake_wrmsr_safe(uint32_t msr, uint64_t value)
{
    if (refuses)
        return FAULT_RAISED | 13;
    if (msr == 0x48) {
        spec_ctrl = value;
        spec_ctrl_writes++;
    } else {
        assert_int_equal(msr, 0xC0011020);
        ls_cfg = value;
    }
    return FAULT_NONE;
}

static struct cpuid_result fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
    assert_int_equal(subleaf, 0);
    switch (leaf) {
    case 0:
        return leaf_0;
    case 1:
        return leaf_1;
    case 7:
        assert_true(leaf_0.eax >= 7);
        return leaf_7;
    case 0x80000000:
        return leaf_80000000;
    case 0x80000008:
        assert_true(leaf_80000000.eax >= leaf);
        return leaf_80000008;
    default:
        assert_int_equal(leaf, 0x8000001E);
        assert_true(leaf_80000000.eax >= leaf);
        return leaf_8000001e;
    }
}

#define rdmsr_safe fake_rdmsr_safe
#define wrmsr_safe fake_wrmsr_safe
#define cpuid      fake_cpuid
#define this_cpu() (&fake_cpu)
#include "../../src/cpu/speculation.c"

/* A processor of Intel, or family 17H of AMD, that reports nothing of speculation. */
static void make_processor(bool is_amd)
{
    memset(&fake_cpu, 0, sizeof(fake_cpu));
    leaf_0        = is_amd ? (struct cpuid_result){13, 0x68747541, 0x444D4163, 0x69746E65}
                           : (struct cpuid_result){13, 0x756E6547, 0x6C65746E, 0x49656E69};
    leaf_1        = (struct cpuid_result){.eax = is_amd ? 0x00800F11 : 0x000506E3};
    leaf_80000000 = (struct cpuid_result){.eax = is_amd ? 0x8000001F : 0x80000008};
    leaf_7 = leaf_80000008 = leaf_8000001e = (struct cpuid_result){0};
    ls_cfg = capabilities = 0;
    spec_ctrl             = UINT64_MAX;
    spec_ctrl_writes      = 0;
    refuses               = false;
}

/* Checks which MSRs the guest accesses itself. */
static void check_passed(size_t count, const uint32_t expected[])
{
    uint32_t msrs[SPECULATION_MSRS];

    assert_int_equal(speculation_passed_msrs(msrs), count);
    assert_memory_equal(msrs, expected, count * sizeof(msrs[0]));
}

static void test_passed(void **state)
{
    (void)state;
    make_processor(false);
    check_passed(0, NULL);
    leaf_7.edx = 1U << 26;
    check_passed(2, (const uint32_t[]){0x48, 0x49});
    leaf_7.edx = 1U << 26 | 1U << 28;
    check_passed(3, (const uint32_t[]){0x48, 0x49, 0x10B});
    fake_cpu.controls.spec_ctrl = 1; /* Hymir needs IBRS */
    check_passed(2, (const uint32_t[]){0x49, 0x10B});
    fake_cpu.controls.spec_ctrl = 0;
    fake_cpu.controls.entry     = 1 << ENTRY_IBRS; /* at each exit */
    check_passed(2, (const uint32_t[]){0x49, 0x10B});
    leaf_7.edx = 1U << 31;
    check_passed(0, NULL);
    leaf_0.eax                  = 6; /* the leaf does not exist */
    fake_cpu.controls.spec_ctrl = 0;
    check_passed(0, NULL);
    make_processor(true);
    leaf_80000008.ebx = 1 << 12;
    check_passed(1, (const uint32_t[]){0x49});
    leaf_80000008.ebx = 1 << 15;
    check_passed(1, (const uint32_t[]){0x48});
}

/* Hymir's bits stay set, whatever the guest writes, and a reset leaves only them. */
static void test_spec_ctrl(void **state)
{
    (void)state;
    make_processor(false);
    speculation_reset();
    assert_int_equal(spec_ctrl_writes, 0); /* there is none */
    leaf_7.edx                  = 1U << 26;
    fake_cpu.controls.spec_ctrl = 0x401;
    speculation_reset();
    assert_int_equal(spec_ctrl, 0x401);
    assert_int_equal(speculation_read_spec_ctrl(), 0);
    speculation_write_spec_ctrl(6);
    assert_int_equal(spec_ctrl, 0x407);
    assert_int_equal(speculation_read_spec_ctrl(), 6);
    fake_cpu.controls.spec_ctrl = 0;
    fake_cpu.controls.entry     = 1 << ENTRY_IBRS;
    speculation_write_spec_ctrl(4);
    assert_int_equal(spec_ctrl, 5); /* Hymir is running */
    fake_cpu.controls.entry     = 0;
    fake_cpu.controls.spec_ctrl = 0x401;
    speculation_write_spec_ctrl(6);
    refuses = true;
    speculation_write_spec_ctrl(0);
    assert_int_equal(speculation_read_spec_ctrl(), 6);
    refuses = false;
    speculation_reset();
    assert_int_equal(spec_ctrl, 0x401);
    assert_int_equal(speculation_read_spec_ctrl(), 0);
}

static void test_capabilities(void **state)
{
    (void)state;
    make_processor(false);
    capabilities = 0x2B;
    assert_int_equal(speculation_capabilities(), 0);
    leaf_7.edx = 1U << 29;
    assert_int_equal(speculation_capabilities(), 0x2B);
}

/* LS_CFG, whose other bits stay, serves only a core with one thread. */
static void test_ssbd(void **state)
{
    static const struct {
        uint32_t signature;
        uint64_t bit;
    } families[] = {{0x00600F20, UINT64_C(1) << 54},
                    {0x00700F01, UINT64_C(1) << 33},
                    {0x00800F11, 1 << 10}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        make_processor(true);
        leaf_1.eax = families[i].signature;
        ls_cfg     = 0x8000000000000001;
        assert_true(speculation_has_ssbd());
        assert_int_equal(speculation_read_ssbd(), 0);
        speculation_write_ssbd(4);
        assert_int_equal(ls_cfg, 0x8000000000000001 | families[i].bit);
        assert_int_equal(speculation_read_ssbd(), 4);
        speculation_reset();
        assert_int_equal(ls_cfg, 0x8000000000000001);
        leaf_8000001e.ebx = 1 << 8; /* two threads */
        assert_false(speculation_has_ssbd());
        leaf_8000001e.ebx = 0;
        leaf_80000008.ebx = 1 << 24; /* IA32_SPEC_CTRL has it */
        assert_false(speculation_has_ssbd());
    }
    make_processor(true);
    refuses = true;
    speculation_write_ssbd(4);
    assert_int_equal(speculation_read_ssbd(), 0);
    leaf_1.eax = 0x00A20F10;
    assert_false(speculation_has_ssbd());
    make_processor(false);
    assert_false(speculation_has_ssbd());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_passed),
        cmocka_unit_test(test_spec_ctrl),
        cmocka_unit_test(test_capabilities),
        cmocka_unit_test(test_ssbd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
