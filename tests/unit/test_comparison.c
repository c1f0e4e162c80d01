/* src/check/comparison.c: equal and different CPUs. */
#include "machines.h"

#include "check/comparison.h"

static struct cpu_record records[8];

/* Loads the records of four performance cores and four efficient ones. */
static int records_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        records[i] =
            record_of_machine(i < 4 ? &lakefield_performance : &lakefield_efficient);
        records[i].cpuid.leaf_1a.eax = i < 4 ? 0x40000001 : 0x20000001;
        records[i].apic_id           = (uint32_t)i * 2;
    }
    return 0;
}

static size_t row_of(const char *name)
{
    for (size_t row = 0; row < comparison_count(&vt_x); row++) {
        if (strcmp(comparison_name(&vt_x, row), name) == 0)
            return row;
    }
    fail_msg("no row is called %s", name);
    return 0;
}

static void append_value(const char *value, const char *cpus, void *context)
{
    struct text *text = context;
    text_append(text, "%s%s on cpu %s", text->length > 0 ? "; " : "", value, cpus);
}

static void assert_described(const char *name, const char *expected)
{
    TEXT_DECLARE(text, 256);
    comparison_visit_values(row_of(name), records, 8, append_value, &text);
    assert_string_equal(text.buffer, expected);
}

static void test_alike(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++)
        records[i] = records[0];
    for (size_t row = 0; row < comparison_count(&vt_x); row++)
        assert_false(comparison_differs(row, records, 8));
    assert_int_equal(comparison_first_alike(records, 7), 0);
}

static void test_hybrid(void **state)
{
    (void)state;
    size_t differences = 0;

    for (size_t row = 0; row < comparison_count(&vt_x); row++)
        differences += comparison_differs(row, records, 8) ? 1 : 0;
    assert_int_equal(differences, 3);
    assert_described("CPUID.1AH:EAX", "0x40000001 on cpu 0-3; 0x20000001 on cpu 4-7");
    assert_described("IA32_ARCH_CAPABILITIES", "0x2b on cpu 0-3; 0x8000002b on cpu 4-7");
    assert_described("IA32_VMX_PROCBASED_CTLS2",
                     "0x435d6fff00000000 on cpu 0-3; 0x35d6fff00000000 on cpu 4-7");
    assert_int_equal(comparison_first_alike(records, 3), 0);
    assert_int_equal(comparison_first_alike(records, 6), 4);
    assert_string_equal(cpuid_core_type_name(&records[0].cpuid), "performance");
    assert_string_equal(cpuid_core_type_name(&records[4].cpuid), "efficient");
}

/* Every register is compared, and bits that may differ are ignored. */
static void test_each_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++)
        records[i] = records[0];
    records[2].microcode = 0x11;
    assert_described("microcode revision", "none on cpu 0-1,3-7; 0x11 on cpu 2");
    vmx_record_of(&records[5])->feature_control = reading_of(1);
    vmx_record_of(&records[7])->feature_control = reading_of(0);
    assert_described("IA32_FEATURE_CONTROL",
                     "0x5 on cpu 0-4,6; 0x1 on cpu 5; 0x0 on cpu 7");
    set_msr(&records[1], MSR_IA32_VMX_VMFUNC, 1);
    assert_described("IA32_VMX_VMFUNC", "none on cpu 0,2-7; 0x1 on cpu 1");
    vmx_record_of(&records[3])->capabilities.msr[0] =
        (struct msr_reading){.state = MSR_FAULTED, .vector = 13};
    assert_described("IA32_VMX_BASIC",
                     "0xda050000000013 on cpu 0-2,4-7; exception 13 on cpu 3");
    /* OSXSAVE and OSPKE follow CR4. */
    records[4].cpuid.leaf_1.ecx ^= (uint32_t)BIT(27);
    records[4].cpuid.leaf_7.ecx ^= (uint32_t)BIT(4);
    assert_false(comparison_differs(row_of("CPUID.01H:ECX"), records, 8));
    assert_false(comparison_differs(row_of("CPUID.07H:ECX"), records, 8));
    records[4].cpuid.leaf_1.ecx ^= (uint32_t)BIT(5);
    assert_true(comparison_differs(row_of("CPUID.01H:ECX"), records, 8));
}

/* CPUs that did not respond are not compared. */
static void test_no_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; i++)
        records[i] = records[0];
    records[0] = (struct cpu_record){.virtualization = &vt_x, .answer = CPU_NO_ANSWER};
    records[6].answer = CPU_DID_NOT_FINISH;
    for (size_t row = 0; row < comparison_count(&vt_x); row++)
        assert_false(comparison_differs(row, records, 8));
    assert_int_equal(comparison_first_alike(records, 0), 0);
    assert_int_equal(comparison_first_alike(records, 6), 6);
    assert_int_equal(comparison_first_alike(records, 7), 1);
    records[2].microcode = 3;
    assert_described("microcode revision", "none on cpu 1,3-5,7; 0x3 on cpu 2");
}

static char last_cpus[COMPARISON_CPUS_SIZE];

static void keep_cpus(const char *value, const char *cpus, void *context)
{
    (void)value;
    (void)context;
    strcpy(last_cpus, cpus);
}

/* Lists of CPUs are whole, however many there are, and short where they are regular. */
static void test_many(void **state)
{
    (void)state;
    static struct {
        const char *list;
        size_t modulus;
        const char *remainders; /* of the CPUs with the last value */
    } cases[] = {
        {"1-1023/2", 2, "1"},       {"3-1023/4", 4, "3"}, {"1,3-1023", 0, NULL},
        {"1-1021/4,1023", 0, NULL}, {NULL, 3, "12"},
    };
    struct cpu_record *many = calloc(SMP_MAX_CPUS, sizeof(*many));
    for (size_t row = 0; row < ARRAY_SIZE(cases); row++) {
        for (size_t i = 0; i < SMP_MAX_CPUS; i++) {
            many[i]           = records[0];
            many[i].microcode = 1;
            if (cases[row].modulus != 0)
                many[i].microcode += strchr(cases[row].remainders,
                                            '0' + (int)(i % cases[row].modulus)) != NULL;
            else if (row == 2)
                many[i].microcode += i == 1 || i >= 3;
            else
                many[i].microcode += i % 4 == 1 || i == 1023;
        }
        comparison_visit_values(row_of("microcode revision"), many, SMP_MAX_CPUS,
                                keep_cpus, NULL);
        if (cases[row].list != NULL)
            assert_string_equal(last_cpus, cases[row].list);
    }
    assert_memory_equal(last_cpus, "1-2,4-5,7-8,", 12); /* the longest */
    assert_string_equal(last_cpus + strlen(last_cpus) - 9, "1018-1019,1021-1022" + 10);
    free(many);
}

static void test_usable(void **state)
{
    (void)state;
    struct capability_set usable;

    assert_true(comparison_usable(records, 8, &usable));
    assert_int_equal(usable.group[GROUP_SECONDARY].may_be_1, 0x035D6FFF);
    assert_int_equal(usable.group[GROUP_SECONDARY].must_be_1, 0);
    for (size_t i = 0; i < 8; i++)
        remove_vmx(&records[i]);
    assert_false(comparison_usable(records, 8, &usable));
}

#define TEST(name) cmocka_unit_test_setup(name, records_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_alike),     TEST(test_hybrid), TEST(test_each_difference),
        TEST(test_no_answer), TEST(test_many),   TEST(test_usable),
    };
    return cmocka_run_group_tests_name("comparison", tests, NULL, NULL);
}
