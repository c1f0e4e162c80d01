/* src/cpu/inherited_state.c, on registers that the test sets. */
#include "unit.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"

static uint64_t cpu_cr4, cpu_efer, cpu_misc_enable, cpu_core_capabilities, cpu_test_ctrl;
static bool has_test_ctrl, refuses_writes;
static uint32_t cpu_signature, leaf_7_edx, maximum_leaf;
static unsigned int gifs_set;

static uint64_t *msr_at(uint32_t msr)
{
    switch (msr) {
    case 0x33:
        return has_test_ctrl ? &cpu_test_ctrl : NULL;
    case 0xCF:
        return (leaf_7_edx & 1 << 30) != 0 ? &cpu_core_capabilities : NULL;
    case 0x1A0:
        return &cpu_misc_enable;
    case 0xC0000080:
        return &cpu_efer;
    default:
        fail_msg("MSR 0x%x", msr);
        return NULL;
    }
}

static struct msr_reading fake_msr_read_safe(uint32_t msr)
{
    const uint64_t *value = msr_at(msr);

    assert_non_null(value); /* emulators report an error for a register they lack */
    return (struct msr_reading){.value = *value, .state = MSR_READ};
}

static uint64_t fake_rdmsr(uint32_t msr)
{
    return *msr_at(msr);
}

static uint32_t fake_wrmsr_safe(uint32_t msr, uint64_t value)
{
    if (refuses_writes)
        return FAULT_RAISED | 13;
    *msr_at(msr) = value;
    return FAULT_NONE;
}

static uint64_t fake_read_cr4(void)
{
    return cpu_cr4;
}

static uint32_t fake_write_cr4_safe(uint64_t value)
{
    if (refuses_writes)
        return FAULT_RAISED | 13;
    cpu_cr4 = value;
    return FAULT_NONE;
}

static uint32_t fake_stgi_safe(void)
{
    gifs_set++;
    return FAULT_NONE;
}

static struct cpuid_result fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
    assert_int_equal(subleaf, 0);
    if (leaf == 0)
        return (struct cpuid_result){maximum_leaf, 0x756E6547, 0x6C65746E, 0x49656E69};
    if (leaf == 1)
        return (struct cpuid_result){.eax = cpu_signature};
    assert_int_equal(leaf, 7);
    return (struct cpuid_result){.edx = leaf_7_edx};
}

#define msr_read_safe  fake_msr_read_safe
#define rdmsr          fake_rdmsr
#define wrmsr_safe     fake_wrmsr_safe
#define read_cr4       fake_read_cr4
#define write_cr4_safe fake_write_cr4_safe
#define stgi_safe      fake_stgi_safe
#define cpuid          fake_cpuid
#include "../../src/cpu/inherited_state.c"

static struct cpu fake_cpu;

static int processor_start(void **state)
{
    cpu_cr4 = cpu_efer = cpu_misc_enable = cpu_core_capabilities = cpu_test_ctrl = 0;
    has_test_ctrl = refuses_writes = false;
    cpu_signature                  = 0x306C3;
    leaf_7_edx                     = 0;
    maximum_leaf                   = 13;
    gifs_set                       = 0;
    fake_cpu                       = (struct cpu){.index = 3};
    return start_log(state);
}

#define TEST(name) cmocka_unit_test_setup(name, processor_start)

static void test_nothing(void **state)
{
    (void)state;
    inherited_state_clear(&fake_cpu);
    assert_nothing_logged();
    assert_int_equal(gifs_set, 0);
}

static void test_virtualization(void **state)
{
    (void)state;
    cpu_cr4  = 0x2020;
    cpu_efer = 0x1D00;
    inherited_state_clear(&fake_cpu);
    assert_int_equal(cpu_cr4, 0x20);
    assert_int_equal(cpu_efer, 0xD00);
    assert_int_equal(gifs_set, 1);
    assert_logged("warning: cpu 3: CR4.VMXE was set");
    assert_logged("warning: cpu 3: EFER.SVME was set; cleared\n");
    processor_start(state);
    cpu_cr4        = 0x2020;
    refuses_writes = true; /* in VMX operation */
    inherited_state_clear(&fake_cpu);
    assert_nothing_logged();
}

static void test_cpuid_limit(void **state)
{
    (void)state;
    maximum_leaf    = 3;
    cpu_misc_enable = 1 << 22 | 1;
    inherited_state_clear(&fake_cpu);
    assert_int_equal(cpu_misc_enable, 1);
    assert_true(fake_cpu.had_cpuid_limit);
    assert_logged("warning: cpu 3: firmware limits CPUID to leaf 3; ");
}

/* SDM 4: IA32_CORE_CAPABILITIES[5], or a model of Ice Lake's. */
static void test_split_locks(void **state)
{
    static const struct {
        uint32_t signature, leaf_7_edx;
        uint64_t core_capabilities;
        bool exists;
    } cases[] = {
        {0x306C3, 0, 0, false},
        {0x606A6, 0, 0, true}, /* Ice Lake */
        {0x606C1, 0, 0, true},
        {0x706E5, 1U << 30, 0, true},
        {0x806C1, 1U << 30, 0x20, true}, /* Tiger Lake */
        {0x806C1, 1U << 30, 0xDF, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        processor_start(state);
        cpu_signature         = cases[i].signature;
        leaf_7_edx            = cases[i].leaf_7_edx;
        cpu_core_capabilities = cases[i].core_capabilities;
        has_test_ctrl         = cases[i].exists;
        cpu_test_ctrl         = 1U << 29 | 1U << 31;
        inherited_state_clear(&fake_cpu);
        assert_int_equal(cpu_test_ctrl, cases[i].exists ? 1U << 31 : 1U << 29 | 1U << 31);
        if (cases[i].exists)
            assert_logged("cpu 3: MSR_TEST_CTRL[29], which raises #AC for split locks, "
                          "was set; cleared\n");
        start_log(state);
        inherited_state_clear(&fake_cpu);
        assert_nothing_logged();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_nothing), TEST(test_virtualization),
                                       TEST(test_cpuid_limit), TEST(test_split_locks)};
    return cmocka_run_group_tests_name("inherited_state", tests, NULL, NULL);
}
