/* src/vmx/vcpu_controls.c: the controls that a vCPU requires, by name. */
#include "snapshots.h"

#include "vmx/vcpu_controls.h"

static struct vmx_capabilities capabilities;
static struct vcpu_controls controls;
static char missing_text[1024];

static enum status controls_fit(void)
{
    struct text missing = {.buffer = missing_text, .size = sizeof(missing_text)};
    missing_text[0]     = '\0';
    return vcpu_controls_fit(&capabilities, &controls, &missing);
}

static void capabilities_load(const struct recorded *recorded)
{
    struct cpu_record record = record_before(recorded);

    capabilities = vmx_record(&record)->capabilities;
    memset(&controls, 0xA5, sizeof(controls));
}

static void test_valid(void **state)
{
    (void)state;
    static const struct recorded *const valid[] = {&ivy_bridge, &coffee_lake, &icelake};
    for (size_t i = 0; i < ARRAY_SIZE(valid); i++) {
        capabilities_load(valid[i]);
        assert_int_equal(controls_fit(), STATUS_OK);
        assert_string_equal(missing_text, "");
        /* SDM 3D: bits that must be 1 are set, bits that must be 0 are clear. */
        static const struct {
            enum vmx_capability_group group;
            enum vmx_msr msr;
        } fields[] = {{GROUP_PIN_BASED, MSR_IA32_VMX_TRUE_PINBASED_CTLS},
                      {GROUP_PRIMARY, MSR_IA32_VMX_TRUE_PROCBASED_CTLS},
                      {GROUP_SECONDARY, MSR_IA32_VMX_PROCBASED_CTLS2},
                      {GROUP_VM_EXIT, MSR_IA32_VMX_TRUE_EXIT_CTLS},
                      {GROUP_VM_ENTRY, MSR_IA32_VMX_TRUE_ENTRY_CTLS}};
        for (size_t j = 0; j < ARRAY_SIZE(fields); j++) {
            uint64_t msr   = valid[i]->msr[fields[j].msr - VMX_MSR_FIRST];
            uint32_t field = controls.field[fields[j].group];
            assert_int_equal(field & (uint32_t)msr, (uint32_t)msr);
            assert_int_equal(field & ~(uint32_t)(msr >> 32), 0);
        }
        assert_true(
            vcpu_controls_has(&controls, GROUP_SECONDARY, SECONDARY_UNRESTRICTED_GUEST));
        /* APIC virtualization is off until it is selected. */
        assert_int_equal(controls.field[GROUP_PRIMARY] & BIT(21), 0);
        assert_int_equal(controls.switched[GROUP_PRIMARY], BIT(21));
        assert_int_equal(
            controls.field[GROUP_SECONDARY] & (BIT(0) | BIT(4) | BIT(8) | BIT(9)), 0);
        assert_int_equal(
            controls.switched[GROUP_SECONDARY],
            (valid[i]->msr[MSR_IA32_VMX_PROCBASED_CTLS2 - VMX_MSR_FIRST] >> 32) &
                (BIT(0) | BIT(4) | BIT(8) | BIT(9)));
        assert_int_equal(controls.switched[GROUP_PIN_BASED], 0);
        /* Windows are closed until an event is pending. */
        assert_int_equal(controls.field[GROUP_PRIMARY] & (BIT(2) | BIT(22)), 0);
        /* Exits that are costly and unneeded are off. */
        assert_int_equal(controls.field[GROUP_PRIMARY] &
                             (BIT(9) | BIT(12) | BIT(15) | BIT(16) | BIT(23) | BIT(30)),
                         0); /* INVLPG, RDTSC, CR3 load and store, MOV DR, PAUSE */
    }
}

static void test_missing(void **state)
{
    (void)state;
    capabilities_load(&penryn);
    struct vcpu_controls before = controls;
    assert_int_equal(controls_fit(), STATUS_UNSUPPORTED);
    assert_memory_equal(&controls, &before, sizeof(controls));
    assert_non_null(strstr(missing_text, "\"enable EPT\" (secondary control), "
                                         "\"unrestricted guest\" (secondary control)"));
    assert_non_null(strstr(missing_text, "\"load IA32_EFER\" (VM-entry control)"));
}

/* Each missing required control is named; optional ones are left out. */
static void test_each(void **state)
{
    (void)state;
    static const struct {
        enum vmx_msr msr;
        int bit;
        const char *name; /* NULL: optional */
    } cases[] = {
        {MSR_IA32_VMX_TRUE_PINBASED_CTLS, 0, "external-interrupt exiting"},
        {MSR_IA32_VMX_TRUE_PINBASED_CTLS, 3, "NMI exiting"},
        {MSR_IA32_VMX_TRUE_PINBASED_CTLS, 5, "virtual NMIs"},
        {MSR_IA32_VMX_TRUE_PINBASED_CTLS, 6, NULL},
        {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 2, "interrupt-window exiting"},
        {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 22, "NMI-window exiting"},
        {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 3, "use TSC offsetting"},
        {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 7, "HLT exiting"},
        {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 19, "CR8-load exiting"},
        {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 25, "use I/O bitmaps"},
        {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 28, "use MSR bitmaps"},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 1, "enable EPT"},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 7, "unrestricted guest"},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 0, NULL},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 3, NULL},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 4, NULL},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 5, NULL},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 6, NULL},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 12, NULL},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 20, NULL},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 26, NULL},
        {MSR_IA32_VMX_TRUE_EXIT_CTLS, 9, "host address-space size"},
        {MSR_IA32_VMX_TRUE_EXIT_CTLS, 18, "save IA32_PAT"},
        {MSR_IA32_VMX_TRUE_EXIT_CTLS, 21, "load IA32_EFER"},
        {MSR_IA32_VMX_TRUE_ENTRY_CTLS, 14, "load IA32_PAT"},
        {MSR_IA32_VMX_TRUE_ENTRY_CTLS, 15, "load IA32_EFER"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        capabilities_load(&coffee_lake);
        capabilities.msr[cases[i].msr - VMX_MSR_FIRST].value &=
            ~(BIT(32 + cases[i].bit) | BIT(cases[i].bit));
        assert_int_equal(controls_fit(),
                         cases[i].name == NULL ? STATUS_OK : STATUS_UNSUPPORTED);
        if (cases[i].name != NULL)
            assert_non_null(strstr(missing_text, cases[i].name));
        else
            assert_false(vcpu_controls_has(&controls,
                                           cases[i].msr == MSR_IA32_VMX_PROCBASED_CTLS2
                                               ? GROUP_SECONDARY
                                               : GROUP_PIN_BASED,
                                           BIT(cases[i].bit)));
    }
    /* Demanded controls that Hymir does not handle are refused by name. */
    static const struct {
        enum vmx_msr msr;
        int bit;
        const char *text;
    } demanded[] = {
        {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 15,
         "a 0 of \"CR3-load exiting\" (primary control)"},
        {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 12,
         "a 0 of \"RDTSC exiting\" (primary control)"},
        {MSR_IA32_VMX_PROCBASED_CTLS2, 2,
         "a 0 of \"descriptor-table exiting\" (secondary control)"},
        {MSR_IA32_VMX_TRUE_PINBASED_CTLS, 17, "a 0 of \"bit 17\" (pin-based control)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(demanded); i++) {
        capabilities_load(&coffee_lake);
        capabilities.msr[demanded[i].msr - VMX_MSR_FIRST].value |=
            BIT(32 + demanded[i].bit) | BIT(demanded[i].bit);
        assert_int_equal(controls_fit(), STATUS_UNSUPPORTED);
        assert_string_equal(missing_text, demanded[i].text);
    }
    /* VPID and EPT need the invalidations that Hymir uses. */
    capabilities_load(&coffee_lake);
    capabilities.msr[MSR_IA32_VMX_EPT_VPID_CAP - VMX_MSR_FIRST].value &= ~BIT(42);
    assert_int_equal(controls_fit(), STATUS_OK);
    assert_false(vcpu_controls_has(&controls, GROUP_SECONDARY, SECONDARY_ENABLE_VPID));
    capabilities_load(&coffee_lake);
    capabilities.msr[MSR_IA32_VMX_EPT_VPID_CAP - VMX_MSR_FIRST].value &= ~BIT(26);
    assert_int_equal(controls_fit(), STATUS_UNSUPPORTED);
    assert_string_equal(missing_text, "\"INVEPT: all-context\" (IA32_VMX_EPT_VPID_CAP)");
    /* A guest sleeps in the processor's HLT state. */
    capabilities_load(&coffee_lake);
    capabilities.msr[MSR_IA32_VMX_MISC - VMX_MSR_FIRST].value &= ~BIT(6);
    assert_int_equal(controls_fit(), STATUS_UNSUPPORTED);
    assert_string_equal(missing_text, "\"activity state HLT\" (IA32_VMX_MISC)");
    /* Hymir cannot use EPT without write-back tables. */
    capabilities_load(&coffee_lake);
    capabilities.msr[MSR_IA32_VMX_EPT_VPID_CAP - VMX_MSR_FIRST].value &= ~BIT(14);
    assert_int_equal(controls_fit(), STATUS_UNSUPPORTED);
    assert_string_equal(missing_text,
                        "\"EPT: structures write-back\" (IA32_VMX_EPT_VPID_CAP)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_valid),
                                       cmocka_unit_test(test_missing),
                                       cmocka_unit_test(test_each)};
    return cmocka_run_group_tests_name("vcpu_controls", tests, NULL, NULL);
}
