/* src/cpu/shadow_stack.c: the choice, the tokens, and the frame that an IRET uses. */
#include "unit.h"

#include "cpu/cpuid.h"
#include "cpu/percpu.h"

static struct cpuid_result leaf_7;
static uint64_t fake_s_cet, pl0_ssp, ssp_table;
static unsigned int writes;

static struct cpuid_result fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
    assert_int_equal(subleaf, 0);
    return leaf == 7 ? leaf_7 : (struct cpuid_result){.eax = 7};
}

static uint64_t fake_rdmsr(uint32_t msr)
{
    assert_int_equal(msr, 0x6A2);
    return fake_s_cet;
}

static void fake_wrmsr(uint32_t msr, uint64_t value)
{
    if (msr == 0x6A2)
        fake_s_cet = value;
    else if (msr == 0x6A4)
        pl0_ssp = value;
    else if (msr == 0x6A8)
        ssp_table = value;
    else
        fail_msg("MSR 0x%x", msr);
}

static void (*interrupt)(void);

/* WRSS is allowed only while WR_SHSTK_EN is set. An NMI may arrive before it. */
static void fake_write(uint64_t *at, uint64_t value)
{
    if (interrupt != NULL)
        interrupt();
    assert_int_equal(fake_s_cet, 3);
    *at = value;
    writes++;
}

#define cpuid              fake_cpuid
#define rdmsr              fake_rdmsr
#define wrmsr              fake_wrmsr
#define shadow_stack_write fake_write
#include "../../src/cpu/shadow_stack.c"

/* Alder Lake: shadow stacks, enhanced IBRS, BHI_DIS_S. */
static const struct cpuid_snapshot alder_lake = {.leaf_7   = {.ecx = BIT(7)},
                                                 .leaf_7_2 = {.edx = BIT(4)}};
#define IBRS_ALL BIT(1)
#define BHI_NO   BIT(20)

static bool wants(struct cpuid_snapshot cpuid, uint64_t capabilities)
{
    return shadow_stack_is_wanted(&cpuid, capabilities, MITIGATIONS_AUTO);
}

static void wants_hardware_that_replaces_retpolines(void **state)
{
    struct cpuid_snapshot tiger_lake = alder_lake;

    (void)state;
    tiger_lake.leaf_7_2.edx = 0;
    assert_true(wants(alder_lake, IBRS_ALL));
    assert_true(shadow_stack_is_wanted(&alder_lake, IBRS_ALL, MITIGATIONS_ALL));
    assert_false(wants(alder_lake, 0));
    assert_false(wants(tiger_lake, IBRS_ALL));
    assert_true(wants(tiger_lake, IBRS_ALL | BHI_NO));
    assert_true(shadow_stack_is_wanted(&tiger_lake, 0, MITIGATIONS_OFF));
}

static void wants_none_where_they_cannot_be_used(void **state)
{
    struct cpuid_snapshot without = alder_lake, nested = alder_lake, amd = alder_lake;

    (void)state;
    without.leaf_7.ecx                        = 0;
    nested.leaf_1.ecx                         = BIT(31);
    amd.leaf_80000001.ecx                     = BIT(2);
    const struct cpuid_snapshot *const none[] = {&without, &nested, &amd};
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        assert_false(wants(*none[i], IBRS_ALL | BHI_NO));
        assert_false(shadow_stack_is_wanted(none[i], 0, MITIGATIONS_OFF));
    }
}

static struct shadow_stacks stacks;

/* A token is the address of itself, with bit 0, busy, clear. */
static void puts_a_token_on_each(void **state)
{
    struct cpu cpu = {0};

    (void)state;
    shadow_stack_prepare(&cpu, &stacks);
    assert_ptr_equal(cpu.main_ssp, &stacks.main[511]);
    assert_ptr_equal(cpu.interrupt_ssp[1], &stacks.double_fault[127]);
    assert_ptr_equal(cpu.interrupt_ssp[2], &stacks.nmi[255]);
    assert_ptr_equal(cpu.interrupt_ssp[3], &stacks.machine_check[127]);
    assert_int_equal(*(uint64_t *)cpu.main_ssp, cpu.main_ssp);
    for (size_t i = 1; i <= 3; i++)
        assert_int_equal(*(uint64_t *)cpu.interrupt_ssp[i], cpu.interrupt_ssp[i]);
}

static void starts_only_on_a_cpu_that_has_them(void **state)
{
    struct cpu cpu = {0};

    (void)state;
    leaf_7     = (struct cpuid_result){.ecx = BIT(7)};
    fake_s_cet = 0;
    assert_false(shadow_stack_start(&cpu)); /* no memory was given */
    shadow_stack_prepare(&cpu, &stacks);
    leaf_7.ecx = 0;
    assert_false(shadow_stack_start(&cpu));
    assert_int_equal(fake_s_cet, 0);
    leaf_7.ecx = BIT(7);
    assert_true(shadow_stack_start(&cpu));
    assert_int_equal(fake_s_cet, 1);
    assert_int_equal(pl0_ssp, cpu.main_ssp);
    assert_ptr_equal(ssp_table, cpu.interrupt_ssp);
}

struct top {
    struct shadow_frame frame;
    uint64_t above;
};

/* An interrupt of 0x1000, on the current stack. */
static void prepares_the_return_of_an_interrupt(void **state)
{
    struct top top = {{.rip = 0x1000, .cs = 8}, 0x1234};

    (void)state;
    top.frame.previous_ssp = (uintptr_t)&top.above;
    fake_s_cet             = 1;
    writes                 = 0;
    shadow_stack_prepare_return(&top.frame, 0);
    assert_int_equal(writes, 0); /* and no MSR, which would be slow */
    shadow_stack_prepare_return(&top.frame, 0x2000);
    assert_int_equal(top.frame.rip, 0x2000);
    assert_int_equal(top.above, 0x1234);
    assert_int_equal(fake_s_cet, 1);
}

/* One that has switched to a shadow stack of its own, whose token is then busy. */
static void return_from_other_stack(void)
{
    struct top top = {{.previous_ssp = 0x8000, .rip = 0x3000, .cs = 8}, 0};

    interrupt = NULL;
    top.above = (uintptr_t)&top.above | 1;
    shadow_stack_prepare_return(&top.frame, 0);
    assert_ptr_equal(top.above, &top.above);
    assert_int_equal(top.frame.rip, 0x3000);
}

static void frees_the_token(void **state)
{
    (void)state;
    fake_s_cet = 1;
    return_from_other_stack();
    assert_int_equal(fake_s_cet, 1);
}

static void may_be_interrupted_by_itself(void **state)
{
    struct top top = {{.rip = 0x1000, .cs = 8}, 0};

    (void)state;
    top.frame.previous_ssp = (uintptr_t)&top.above;
    fake_s_cet             = 1;
    interrupt              = return_from_other_stack;
    shadow_stack_prepare_return(&top.frame, 0x2000);
    assert_null(interrupt);
    assert_int_equal(top.frame.rip, 0x2000);
    assert_int_equal(fake_s_cet, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wants_hardware_that_replaces_retpolines),
        cmocka_unit_test(wants_none_where_they_cannot_be_used),
        cmocka_unit_test(puts_a_token_on_each),
        cmocka_unit_test(starts_only_on_a_cpu_that_has_them),
        cmocka_unit_test(prepares_the_return_of_an_interrupt),
        cmocka_unit_test(frees_the_token),
        cmocka_unit_test(may_be_interrupted_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
