/* src/guest/cpuid_policy.c: what is emulated, so that no processor decides it. */
#include "unit.h"

#include "guest_cpuid.h"
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

/* Returns the CPUID of a processor with no bit set. */
static struct cpuid_result none(uint32_t leaf, uint32_t subleaf)
{
    (void)subleaf;
    return (struct cpuid_result){.eax = leaf == 0 ? last_basic : 0};
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

static struct cpuid_result cpuid_ask(uint32_t leaf, uint32_t subleaf)
{
    return cpuid_policy_answer(&answers, leaf, subleaf, &(struct cpuid_state){0, 1});
}

/* The model of the APIC, not the processor, decides what a guest is offered. */
static void test_apic(void **state)
{
    (void)state;
    static const uint32_t leaves[] = {0, 1, 2, 5, 0x20};
    for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
        last_basic = leaves[i];
        guest_cpuid_init(&answers, &vmx_guest_cpuid, 0, none);
        assert_int_equal(cpuid_ask(1, 0).ecx, BIT(31) | BIT(24) | BIT(21));
        assert_int_equal(cpuid_ask(1, 0).edx, 0);
        struct cpuid_result power = cpuid_ask(6, 0);
        assert_int_equal(power.eax, 4); /* its timer always runs */
        assert_int_equal(power.ebx | power.ecx | power.edx, 0);
        assert_int_equal(cpuid_ask(0, 0).eax, leaves[i] < 11 ? 11 : 31);
        cpuid_policy_set_apic(&answers, true);
        assert_int_equal(cpuid_ask(1, 0).edx, BIT(9));
        assert_int_equal(cpuid_ask(1, 0).ecx, BIT(31) | BIT(24) | BIT(21));
        struct cpuid_result enabled =
            cpuid_policy_answer(&answers, 1, 0, &(struct cpuid_state){BIT(18), 1});
        assert_int_equal(enabled.edx, BIT(9));
        assert_int_equal(enabled.ecx, BIT(31) | BIT(27) | BIT(24) | BIT(21));
        cpuid_policy_set_apic(&answers, false);
        assert_int_equal(cpuid_ask(1, 0).edx, 0);
    }
}

/* AMD's leaves of the topology are absent, even if an outer hypervisor has them. */
static void test_extended_leaves(void **state)
{
    (void)state;
    last_extended = 0x80000022;
    guest_cpuid_init(&answers, &vmx_guest_cpuid, TSC_HZ, all_ones);
    assert_int_equal(cpuid_ask(0x80000000, 0).eax, 0x80000021);
    for (uint32_t leaf = 0x8000001D; leaf <= 0x8000001E; leaf++) {
        struct cpuid_result values = cpuid_ask(leaf, 0);
        assert_int_equal(values.eax | values.ebx | values.ecx | values.edx, 0);
    }
    assert_int_equal(cpuid_ask(0x80000001, 0).ecx, BIT(8) | BIT(5) | BIT(0));
    assert_int_equal(cpuid_ask(0x80000008, 0).ecx, 0);
    cpuid_policy_set_apic(&answers, true);
    assert_int_equal(cpuid_ask(0x80000001, 0).edx & BIT(9), 0);
}

/* KVM's signature, with none of its features, at the second place for one. */
static void test_kvm(void **state)
{
    (void)state;
    struct cpuid_result values = cpuid_ask(0x40000100, 0);
    assert_int_equal(values.eax, 0x40000101);
    assert_memory_equal(&values.ebx, "KVMKVMKVM\0\0", 12);
    values = cpuid_ask(0x40000101, 0);
    assert_int_equal(values.eax | values.ebx | values.ecx | values.edx, 0);
    struct cpuid_setup setup = answers.setup;
    setup.has_pv             = false;
    cpuid_policy_init(&answers, &setup, 0);
    for (uint32_t leaf = 0x40000100; leaf < 0x40000102; leaf++) {
        values                          = cpuid_ask(leaf, 0);
        struct cpuid_result beyond_last = cpuid_ask(0x3FFFFFFF, 0);
        assert_memory_equal(&values, &beyond_last, sizeof(values));
    }
    assert_int_equal(cpuid_ask(0x40000000, 0).ebx, 0x696D7948);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_apic, policy_start),
        cmocka_unit_test_setup(test_extended_leaves, policy_start),
        cmocka_unit_test_setup(test_kvm, policy_start),
    };
    return cmocka_run_group_tests_name("policy_apic", tests, NULL, NULL);
}
