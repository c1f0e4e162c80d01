/* src/virt/capability.c and src/vmx/capabilities.c, on the MSRs of real machines. */
#include "capability_table.h"
#include "machines.h"

#include "vmx/capabilities.h"

#define TABLE (&vmx_capability_table)

static void test_table(void **state)
{
    (void)state;
    assert_table(TABLE);
    assert_null(capability_name(TABLE, GROUP_CR0, BIT(6)));
    assert_null(capability_name(TABLE, GROUP_PIN_BASED, BIT(1)));
}

/* Returns the reserved bits of the SDM's default1 controls: fixed 1, without a name. */
static uint64_t reserved_default1(enum vmx_capability_group group)
{
    switch (group) {
    case GROUP_PIN_BASED:
        return 0x16;
    case GROUP_PRIMARY:
        return 0x04006172;
    case GROUP_VM_EXIT:
        return 0x00036DFB;
    case GROUP_VM_ENTRY:
        return 0x000011FB;
    default:
        return 0;
    }
}

static uint64_t msr_value(const struct machine_msrs *machine, enum vmx_msr msr)
{
    uint64_t value = machine->msr[msr - VMX_MSR_FIRST];
    return value == NONE ? 0 : value;
}

/* Returns the state of a control from the TRUE MSR or, without one, the plain MSR. */
static enum capability_state control_state(const struct machine_msrs *machine,
                                           enum vmx_msr plain, enum vmx_msr true_one,
                                           uint64_t bit)
{
    uint64_t value = msr_value(machine, true_one) != 0 ? msr_value(machine, true_one)
                                                       : msr_value(machine, plain);

    if ((value >> 32 & bit) == 0)
        return CAPABILITY_FIXED_0;
    return (value & bit) != 0 ? CAPABILITY_FIXED_1 : CAPABILITY_OPTIONAL;
}

static void test_controls_of_machines(void **state)
{
    (void)state;
    static const struct {
        enum vmx_capability_group group;
        enum vmx_msr plain, true_one;
    } groups[] = {
        {GROUP_PIN_BASED, MSR_IA32_VMX_PINBASED_CTLS, MSR_IA32_VMX_TRUE_PINBASED_CTLS},
        {GROUP_PRIMARY, MSR_IA32_VMX_PROCBASED_CTLS, MSR_IA32_VMX_TRUE_PROCBASED_CTLS},
        {GROUP_SECONDARY, MSR_IA32_VMX_PROCBASED_CTLS2, MSR_IA32_VMX_PROCBASED_CTLS2},
        {GROUP_VM_EXIT, MSR_IA32_VMX_EXIT_CTLS, MSR_IA32_VMX_TRUE_EXIT_CTLS},
        {GROUP_VM_ENTRY, MSR_IA32_VMX_ENTRY_CTLS, MSR_IA32_VMX_TRUE_ENTRY_CTLS},
    };

    for (size_t i = 0; i < ARRAY_SIZE(all_machines) * ARRAY_SIZE(groups); i++) {
        const struct machine_msrs *machine = all_machines[i % ARRAY_SIZE(all_machines)];
        enum vmx_capability_group group    = groups[i / ARRAY_SIZE(all_machines)].group;
        enum vmx_msr plain                 = groups[i / ARRAY_SIZE(all_machines)].plain;
        enum vmx_msr true_one    = groups[i / ARRAY_SIZE(all_machines)].true_one;
        struct cpu_record record = record_of_machine(machine);
        struct capability_bits bits =
            vmx_capability_bits(&vmx_record_of(&record)->capabilities, group);
        for (size_t j = 0; j < TABLE->row_count; j++) {
            if (TABLE->rows[j].group == group)
                assert_int_equal(
                    capability_state_of(TABLE, &TABLE->rows[j], &bits),
                    control_state(machine, plain, true_one, TABLE->rows[j].mask));
        }
        /*
         * Every control of every machine has a name, except one of Ice Lake, next to
         * ENCLV exiting, that no public source names.
         */
        uint64_t unknown = capability_unnamed_bits(TABLE, group, &bits);
        if (machine == &core_i7_1065g7 && group == GROUP_SECONDARY) {
            assert_int_equal(unknown, BIT(29));
            continue;
        }
        assert_int_equal(unknown & ~reserved_default1(group), 0);
        assert_int_equal(unknown & ~bits.must_be_1, 0);
    }
}

/* Returns the state of the named capability on a machine. */
static const char *state_on(const struct machine_msrs *machine,
                            enum vmx_capability_group group, const char *name)
{
    struct cpu_record record = record_of_machine(machine);
    struct capability_bits bits =
        vmx_capability_bits(&vmx_record_of(&record)->capabilities, group);

    for (size_t i = 0; i < TABLE->row_count; i++) {
        if (TABLE->rows[i].group == group && strcmp(TABLE->rows[i].name, name) == 0)
            return capability_state_name(
                capability_state_of(TABLE, &TABLE->rows[i], &bits));
    }
    fail_msg("no row is called %s", name);
    return "";
}

static uint64_t number_on(const struct machine_msrs *machine,
                          enum vmx_capability_group group, uint64_t mask)
{
    struct cpu_record record = record_of_machine(machine);
    struct capability_bits bits =
        vmx_capability_bits(&vmx_record_of(&record)->capabilities, group);
    const struct capability_row row = {.group = group, .mask = mask, .name = ""};

    assert_int_equal(capability_state_of(TABLE, &row, &bits), CAPABILITY_NUMBER);
    return capability_number(&row, &bits);
}

/* Facts about the processors from their vendors' documents. */
static void test_known_facts(void **state)
{
    (void)state;
    assert_string_equal(state_on(&core2_x6800, GROUP_SECONDARY, "enable EPT"), "fixed 0");
    assert_string_equal(state_on(&core2_x6800, GROUP_PRIMARY, "CR3-load exiting"),
                        "fixed 1");
    assert_string_equal(state_on(&xeon_w3670, GROUP_SECONDARY, "unrestricted guest"),
                        "optional");
    assert_string_equal(state_on(&xeon_w3670, GROUP_PRIMARY, "CR3-load exiting"),
                        "optional");
    assert_string_equal(state_on(&core_i7_4770, GROUP_SECONDARY, "VMCS shadowing"),
                        "optional");
    assert_string_equal(state_on(&core_i7_2635qm, GROUP_SECONDARY, "VMCS shadowing"),
                        "fixed 0");
    assert_string_equal(state_on(&core_i7_6700k, GROUP_SECONDARY, "enable PML"),
                        "optional");
    assert_string_equal(state_on(&core_i7_6700k, GROUP_MISC, "Intel PT in VMX operation"),
                        "yes");
    assert_string_equal(
        state_on(&core_i7_1165g7, GROUP_PRIMARY, "activate tertiary controls"),
        "optional");
    assert_string_equal(state_on(&core_i7_1165g7, GROUP_VM_EXIT, "load CET state"),
                        "optional");
    assert_string_equal(
        state_on(&xeon_w7_2475x, GROUP_EPT_VPID, "EPT: page-walk length 5"), "yes");
    assert_string_equal(
        state_on(&core_i7_6700k, GROUP_EPT_VPID, "EPT: page-walk length 5"), "no");
    assert_string_equal(
        state_on(&nested_in_kvm, GROUP_BASIC, "information on INS and OUTS exits"),
        "yes");
    assert_string_equal(state_on(&nested_in_kvm, GROUP_SECONDARY, "enable PML"),
                        "fixed 0");
    assert_string_equal(state_on(&core_i7_6700k, GROUP_CR0, "PE"), "fixed 1");
    assert_string_equal(state_on(&core_i7_6700k, GROUP_CR0, "WP"), "optional");
    assert_string_equal(state_on(&core_i7_6700k, GROUP_CR4, "VMXE"), "fixed 1");
    assert_string_equal(state_on(&core_i7_6700k, GROUP_CR4, "LA57"), "fixed 0");
    assert_string_equal(state_on(&xeon_w7_2475x, GROUP_CR4, "LA57"), "optional");
    assert_int_equal(number_on(&nested_in_kvm, GROUP_BASIC, BITS_MASK(30, 0)),
                     0x11E57ED0);
    assert_int_equal(number_on(&core_i7_6700k, GROUP_BASIC, BITS_MASK(44, 32)), 1024);
    assert_int_equal(number_on(&core_i7_6700k, GROUP_MISC, BITS_MASK(4, 0)), 7);
    assert_int_equal(number_on(&core_i7_6700k, GROUP_MISC, BITS_MASK(24, 16)), 4);
}

/* A bit without a name in any edition of the SDM is shown by number. */
static void test_unknown(void **state)
{
    (void)state;
    struct cpu_record record = record_of_machine(&core_i7_6700k);

    set_msr(&record, MSR_IA32_VMX_EPT_VPID_CAP, BIT(63) | BIT(5) | EPT_CAP_INVEPT);
    struct capability_bits bits =
        vmx_capability_bits(&vmx_record_of(&record)->capabilities, GROUP_EPT_VPID);
    assert_int_equal(capability_unnamed_bits(TABLE, GROUP_EPT_VPID, &bits),
                     BIT(63) | BIT(5));
    set_msr(&record, MSR_IA32_VMX_PROCBASED_CTLS2,
            BIT(29 + 32) | (uint64_t)SECONDARY_ENABLE_EPT << 32);
    bits = vmx_capability_bits(&vmx_record_of(&record)->capabilities, GROUP_SECONDARY);
    assert_int_equal(capability_unnamed_bits(TABLE, GROUP_SECONDARY, &bits), BIT(29));
    assert_false(
        vmx_capability_bits(&vmx_record_of(&record)->capabilities, GROUP_TERTIARY)
            .exists);
    set_msr(&record, MSR_IA32_VMX_PROCBASED_CTLS3, TERTIARY_IPI_VIRTUALIZATION | BIT(40));
    bits = vmx_capability_bits(&vmx_record_of(&record)->capabilities, GROUP_TERTIARY);
    assert_true(bits.exists);
    assert_int_equal(capability_unnamed_bits(TABLE, GROUP_TERTIARY, &bits), BIT(40));
}

static struct capability_set set_of(const struct cpu_record *record)
{
    struct capability_set set = {0};

    for (enum vmx_capability_group group = GROUP_BASIC; group < GROUP_COUNT; group++)
        set.group[group] = vmx_capability_bits(&vmx_record(record)->capabilities, group);
    return set;
}

/* Returns the state of a row, found by its name, in a set. */
static enum capability_state state_in(const struct capability_set *set, uint32_t group,
                                      const char *name)
{
    for (size_t i = 0; i < TABLE->row_count; i++) {
        if (TABLE->rows[i].group == group && strcmp(TABLE->rows[i].name, name) == 0)
            return capability_state_of(TABLE, &TABLE->rows[i], &set->group[group]);
    }
    fail_msg("no row is called %s", name);
    return CAPABILITY_STATES;
}

/* What no setting or number suits both CPUs for, in any order of three CPUs. */
static void test_differs(void **state)
{
    (void)state;
    struct cpu_record records[3];
    for (size_t other = 0; other < 3; other++) {
        for (size_t i = 0; i < 3; i++)
            records[i] = record_of_machine(&core_i7_6700k);
        set_msr(&records[other], MSR_IA32_VMX_BASIC, UINT64_C(0x00DA040000000003));
        /* NMI exiting is fixed to 1 on one CPU, and to 0 on the others. */
        for (size_t i = 0; i < 3; i++)
            set_msr(&records[i], MSR_IA32_VMX_TRUE_PINBASED_CTLS,
                    i == other ? UINT64_C(0x7F0000001E) : UINT64_C(0x7700000016));
        struct capability_set usable = set_of(&records[0]);
        for (size_t i = 1; i < 3; i++) {
            struct capability_set own = set_of(&records[i]);
            capability_set_intersect(TABLE, &usable, &own);
        }
        assert_int_equal(state_in(&usable, GROUP_BASIC, "VMCS revision identifier"),
                         CAPABILITY_DIFFERS);
        assert_int_equal(state_in(&usable, GROUP_BASIC, "memory type for VMCSs"),
                         CAPABILITY_NUMBER);
        assert_int_equal(state_in(&usable, GROUP_PIN_BASED, "NMI exiting"),
                         CAPABILITY_DIFFERS);
        assert_int_equal(state_in(&usable, GROUP_PIN_BASED, "virtual NMIs"),
                         CAPABILITY_OPTIONAL);
    }
    assert_string_equal(capability_state_name(CAPABILITY_DIFFERS), "differs");
}

/* Two core types of one processor: the capabilities of both. */
static void test_intersection(void **state)
{
    (void)state;
    struct cpu_record performance = record_of_machine(&lakefield_performance);
    struct cpu_record efficient   = record_of_machine(&lakefield_efficient);
    struct capability_set usable  = set_of(&performance);
    struct capability_set other   = set_of(&efficient);

    capability_set_intersect(TABLE, &usable, &other);
    assert_int_equal(usable.group[GROUP_SECONDARY].may_be_1, 0x035D6FFF);
    assert_int_equal(usable.group[GROUP_SECONDARY].must_be_1, 0);
    assert_int_equal(usable.group[GROUP_BASIC].may_be_1,
                     msr_value(&lakefield_efficient, MSR_IA32_VMX_BASIC));

    /* Processors that differ in everything: no features, and the limits of both. */
    struct cpu_record old = record_of_machine(&core2_x6800);
    struct cpu_record new = record_of_machine(&core_i7_6700k);
    set_msr(&old, MSR_IA32_VMX_BASIC, UINT64_C(0x0059100000000007));
    usable = set_of(&new);
    other  = set_of(&old);
    capability_set_intersect(TABLE, &usable, &other);
    uint64_t basic = usable.group[GROUP_BASIC].may_be_1;
    assert_int_equal(VMX_BASIC_REGION_SIZE(basic), 4096);
    assert_int_equal(VMX_BASIC_REVISION(basic), 4);
    assert_int_equal(basic & VMX_BASIC_TRUE_CONTROLS, 0);
    assert_int_equal(basic & VMX_BASIC_ADDRESSES_32_BIT, VMX_BASIC_ADDRESSES_32_BIT);
    assert_int_equal(VMX_MISC_TIMER_SHIFT(usable.group[GROUP_MISC].may_be_1), 7);
    assert_int_equal(usable.group[GROUP_CR4].may_be_1, 0x27FF);
    assert_int_equal(usable.group[GROUP_VM_EXIT].may_be_1, 0x3EFFF);
    assert_int_equal(usable.group[GROUP_VM_EXIT].must_be_1, 0x36DFF);
    /* One reports it in the TRUE MSR, the other in the plain one. */
    assert_string_equal(set_of(&new).group[GROUP_VM_EXIT].source,
                        "IA32_VMX_TRUE_EXIT_CTLS");
    assert_string_equal(usable.group[GROUP_VM_EXIT].source, "IA32_VMX_EXIT_CTLS");
    /* A group that one of them lacks is absent. */
    assert_true(set_of(&new).group[GROUP_EPT_VPID].exists);
    assert_false(usable.group[GROUP_EPT_VPID].exists);
    assert_int_equal(usable.group[GROUP_EPT_VPID].may_be_1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),       cmocka_unit_test(test_controls_of_machines),
        cmocka_unit_test(test_known_facts), cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_differs),     cmocka_unit_test(test_intersection),
    };
    return cmocka_run_group_tests_name("capability_rows", tests, NULL, NULL);
}
