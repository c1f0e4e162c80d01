/* src/vmx/capabilities.c, feature_control.c and fixed_bits.c. */
#include "snapshots.h"
#include "x86/control_registers.h"

/* On recorded processors, exactly the MSRs exist that the bits of others announce. */
static void test_ladder_of_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all_recorded); i++) {
        struct cpu_record record = record_before(all_recorded[i]);
        for (uint32_t j = 0; j < VMX_MSR_COUNT; j++) {
            bool exists = vmx_msr_exists(&vmx_record_of(&record)->capabilities,
                                         (enum vmx_msr)(VMX_MSR_FIRST + j));
            if (exists != (all_recorded[i]->msr[j] != NONE))
                fail_msg("%s: MSR 0x%x", all_recorded[i]->name, VMX_MSR_FIRST + j);
        }
    }
}

/* Each MSR that a bit of another announces exists if and only if that bit is set. */
static void test_each_rung(void **state)
{
    (void)state;
    static const struct {
        enum vmx_msr announcing;
        uint64_t bits;
        enum vmx_msr announced;
    } rungs[] = {
        {MSR_IA32_VMX_PROCBASED_CTLS, BIT(63), MSR_IA32_VMX_PROCBASED_CTLS2},
        {MSR_IA32_VMX_PROCBASED_CTLS2, BIT(33), MSR_IA32_VMX_EPT_VPID_CAP},
        {MSR_IA32_VMX_PROCBASED_CTLS2, BIT(37), MSR_IA32_VMX_EPT_VPID_CAP},
        {MSR_IA32_VMX_BASIC, BIT(55), MSR_IA32_VMX_TRUE_PINBASED_CTLS},
        {MSR_IA32_VMX_BASIC, BIT(55), MSR_IA32_VMX_TRUE_PROCBASED_CTLS},
        {MSR_IA32_VMX_BASIC, BIT(55), MSR_IA32_VMX_TRUE_EXIT_CTLS},
        {MSR_IA32_VMX_BASIC, BIT(55), MSR_IA32_VMX_TRUE_ENTRY_CTLS},
        {MSR_IA32_VMX_PROCBASED_CTLS2, BIT(45), MSR_IA32_VMX_VMFUNC},
        {MSR_IA32_VMX_PROCBASED_CTLS, BIT(49), MSR_IA32_VMX_PROCBASED_CTLS3},
        {MSR_IA32_VMX_EXIT_CTLS, BIT(63), MSR_IA32_VMX_EXIT_CTLS2},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rungs); i++) {
        struct cpu_record record = {0};
        set_msr(&record, rungs[i].announcing,
                ~rungs[i].bits & (rungs[i].bits == BIT(33) || rungs[i].bits == BIT(37)
                                      ? ~(BIT(33) | BIT(37))
                                      : UINT64_MAX));
        assert_false(
            vmx_msr_exists(&vmx_record_of(&record)->capabilities, rungs[i].announced));
        set_msr(&record, rungs[i].announcing, rungs[i].bits);
        assert_true(
            vmx_msr_exists(&vmx_record_of(&record)->capabilities, rungs[i].announced));
    }
}

static void test_no_such_msr(void **state)
{
    (void)state;
    struct cpu_record record = record_before(&coffee_lake);
    assert_false(
        vmx_msr_exists(&vmx_record_of(&record)->capabilities, (enum vmx_msr)0x494));
    assert_false(
        vmx_msr_exists(&vmx_record_of(&record)->capabilities, (enum vmx_msr)0x47F));
    assert_true(
        vmx_msr_exists(&vmx_record_of(&record)->capabilities, MSR_IA32_VMX_VMCS_ENUM));
}

static void test_fit(void **state)
{
    (void)state;
    uint32_t value;
    struct cpu_record record                    = record_before(&coffee_lake);
    const struct vmx_capabilities *capabilities = &vmx_record_of(&record)->capabilities;

    /* The TRUE MSR is used: bits 15 and 16 (CR3 load and store exiting) may be 0. */
    assert_int_equal(
        vmx_control_fit(capabilities, GROUP_PRIMARY, PRIMARY_HLT_EXITING, &value), 0);
    assert_int_equal(value, 0x04006172 | 0x80);
    set_msr(&record, MSR_IA32_VMX_BASIC, coffee_lake.msr[0] & ~VMX_BASIC_TRUE_CONTROLS);
    assert_int_equal(
        vmx_control_fit(capabilities, GROUP_PRIMARY, PRIMARY_HLT_EXITING, &value), 0);
    assert_int_equal(value, 0x0401E172 | 0x80);
    assert_int_equal(vmx_control_fit(capabilities, GROUP_PIN_BASED, 0, &value), 0);
    assert_int_equal(value, 0x16);
    assert_int_equal(vmx_control_fit(capabilities, GROUP_VM_EXIT, 1 << 9, &value), 0);
    assert_int_equal(value, 0x36FFF);
    assert_int_equal(vmx_control_fit(capabilities, GROUP_VM_ENTRY, 1 << 9, &value), 0);
    assert_int_equal(value, 0x13FF);
    assert_int_equal(
        vmx_control_fit(capabilities, GROUP_SECONDARY, SECONDARY_ENABLE_EPT, &value), 0);
    assert_int_equal(value, 2);
}

static void test_fit_refuses(void **state)
{
    (void)state;
    uint32_t value           = 42;
    struct cpu_record record = record_before(&penryn);
    assert_int_equal(vmx_control_fit(&vmx_record_of(&record)->capabilities,
                                     GROUP_SECONDARY, SECONDARY_ENABLE_EPT | BIT(0),
                                     &value),
                     SECONDARY_ENABLE_EPT);
    assert_int_equal(vmx_control_fit(&vmx_record_of(&record)->capabilities, GROUP_PRIMARY,
                                     BIT(27) | 0x80, &value),
                     BIT(27));
    /* A processor without secondary controls has no MSR for them; it allows none. */
    set_msr(&record, MSR_IA32_VMX_PROCBASED_CTLS2, NONE);
    assert_int_equal(vmx_control_fit(&vmx_record_of(&record)->capabilities,
                                     GROUP_SECONDARY, 0xFFFFFFFF, &value),
                     0xFFFFFFFF);
    assert_int_equal(value, 42);
}

static void test_ept(void **state)
{
    (void)state;
    struct cpu_record record = record_before(&coffee_lake);
    assert_true(vmx_has_ept(&vmx_record_of(&record)->capabilities));
    set_msr(&record, MSR_IA32_VMX_EPT_VPID_CAP,
            coffee_lake.msr[12] & ~EPT_CAP_WRITE_BACK);
    assert_false(vmx_has_ept(&vmx_record_of(&record)->capabilities));
    set_msr(&record, MSR_IA32_VMX_EPT_VPID_CAP,
            coffee_lake.msr[12] & ~EPT_CAP_WALK_LENGTH_4);
    assert_false(vmx_has_ept(&vmx_record_of(&record)->capabilities));
    record = record_before(&penryn);
    assert_false(vmx_has_ept(&vmx_record_of(&record)->capabilities));
}

static void test_feature_control(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        enum feature_control_state state;
    } cases[] = {
        {0, FEATURE_CONTROL_UNLOCKED},         {1, FEATURE_CONTROL_LOCKED_OFF},
        {2, FEATURE_CONTROL_UNLOCKED},         {3, FEATURE_CONTROL_TXT_ONLY},
        {4, FEATURE_CONTROL_UNLOCKED},         {5, FEATURE_CONTROL_ENABLED},
        {6, FEATURE_CONTROL_UNLOCKED},         {7, FEATURE_CONTROL_ENABLED},
        {0x20005, FEATURE_CONTROL_ENABLED},    {0xFF01, FEATURE_CONTROL_LOCKED_OFF},
        {UINT64_MAX, FEATURE_CONTROL_ENABLED}, {UINT64_MAX - 1, FEATURE_CONTROL_UNLOCKED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(feature_control_state(cases[i].value), cases[i].state);
    assert_int_equal(feature_control_enabled_value(0), 5);
    assert_int_equal(feature_control_enabled_value(4), 5);
    assert_int_equal(feature_control_enabled_value(2), 7);
    assert_int_equal(feature_control_enabled_value(0x60000), 0x60005);
}

static uint64_t value_fit(const struct fixed_bits *which, uint64_t value, uint64_t fixed0,
                          uint64_t fixed1)
{
    struct fixed_bits_result result = fixed_bits_fit(which, value, fixed0, fixed1);
    assert_int_equal(result.outcome, FIXED_BITS_OK);
    return result.value;
}

/* Returns the bit that caused the refusal. */
static unsigned int refused_bit(const struct fixed_bits *which, uint64_t value,
                                uint64_t fixed0, uint64_t fixed1,
                                enum fixed_bits_outcome expected)
{
    struct fixed_bits_result result = fixed_bits_fit(which, value, fixed0, fixed1);
    assert_int_equal(result.outcome, expected);
    assert_int_equal(result.value, value);
    return result.bit;
}

static void test_fixed_bits(void **state)
{
    (void)state;
    /* The common case: a Multiboot kernel without NE. */
    assert_int_equal(value_fit(&fixed_bits_cr0, 0x80010011, 0x80000021, 0xFFFFFFFF),
                     0x80010031);
    assert_int_equal(value_fit(&fixed_bits_cr4, 0x2020, 0x2000, 0x3727FF), 0x2020);
    /* A bit that must be 0 is cleared if Hymir does not need it. */
    assert_int_equal(value_fit(&fixed_bits_cr4, 0x20A0, 0x2000, ~UINT64_C(0x80)), 0x2020);
    /* All 64 bits are checked. */
    assert_int_equal(
        refused_bit(&fixed_bits_cr4, 0x2020, BIT(32), UINT64_MAX, FIXED_BITS_UNKNOWN),
        32);
    assert_int_equal(
        refused_bit(&fixed_bits_cr0, 0x80010031, BIT(63), UINT64_MAX, FIXED_BITS_UNKNOWN),
        63);
    /* A bit that is already set is supported. */
    assert_int_equal(value_fit(&fixed_bits_cr4, BIT(40) | 0x2020, BIT(40), UINT64_MAX),
                     BIT(40) | 0x2020);
}

static void test_fixed_bits_refusals(void **state)
{
    (void)state;
    assert_int_equal(
        refused_bit(&fixed_bits_cr4, 0x20, 0x2000, 0x7FF, FIXED_BITS_CONTRADICTION), 13);
    assert_int_equal(refused_bit(&fixed_bits_cr4, 0x20, 0, 0x7FF, FIXED_BITS_FORBIDDEN),
                     13);
    assert_int_equal(
        refused_bit(&fixed_bits_cr4, 0x2020, 0, ~UINT64_C(0x20), FIXED_BITS_FORBIDDEN),
        5);
    assert_int_equal(
        refused_bit(&fixed_bits_cr0, 0x80010031, 0, 0x7FFFFFFF, FIXED_BITS_FORBIDDEN),
        31);
    assert_int_equal(
        refused_bit(&fixed_bits_cr4, 0x2020, CR4_SMXE, UINT64_MAX, FIXED_BITS_UNKNOWN),
        14);
    assert_int_equal(
        refused_bit(&fixed_bits_cr0, 0x80010031, CR0_CD, UINT64_MAX, FIXED_BITS_UNKNOWN),
        30);
}

static void test_vmcs_names(void **state)
{
    (void)state;
    assert_string_equal(vmcs_field_name(VMCS_GUEST_CS_SELECTOR), "GUEST_CS_SELECTOR");
    assert_string_equal(vmcs_field_name(0x4402), "EXIT_REASON");
    assert_null(vmcs_field_name(0xFFFF));
    assert_string_equal(vmx_error_name(15), "VMXON executed in VMX root operation");
    assert_string_equal(vmx_error_name(0), "unknown error");
    assert_string_equal(vmx_error_name(14), "unknown error");
    assert_string_equal(vmx_error_name(UINT32_MAX), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ladder_of_recorded),  cmocka_unit_test(test_each_rung),
        cmocka_unit_test(test_no_such_msr),         cmocka_unit_test(test_fit),
        cmocka_unit_test(test_fit_refuses),         cmocka_unit_test(test_ept),
        cmocka_unit_test(test_feature_control),     cmocka_unit_test(test_fixed_bits),
        cmocka_unit_test(test_fixed_bits_refusals), cmocka_unit_test(test_vmcs_names),
    };
    return cmocka_run_group_tests_name("capabilities", tests, NULL, NULL);
}
