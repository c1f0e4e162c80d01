/* src/report/short_form.c and code_page.c and the rows in src/vmx/vmx.c. */
#include "machines.h"
#include "short_form.h"

/* The usual values in docs/REPORT.md. */
static void assert_vt_x(const struct machine_msrs *machine, uint32_t present)
{
    const uint64_t *msr                          = machine->msr;
    bool is_known                                = machine->feature_control != NONE;
    const uint64_t numbers[2 + VMX_MSR_COUNT][2] = {
        {is_known ? machine->feature_control : 5, 0},
        {machine->arch_capabilities, 0},
        {msr[0], 0x00DA040000000000},
        {msr[1], 0x0000007F00000016},
        {msr[2], 0xFFF9FFFE0401E172},
        {msr[3], 0x007FFFFF00036DFF},
        {msr[4], 0x0000FFFF000011FF},
        {msr[5], 0},
        {msr[6], 0x80000021},
        {msr[7], 0xFFFFFFFF},
        {msr[8], 0x2000},
        {msr[9], 0},
        {msr[10], 0},
        {msr[11], 0},
        {msr[12], 0x00000F0106334141},
        {msr[13], 0x0000007F00000016},
        {msr[14], 0xFFF9FFFE04006172},
        {msr[15], 0x007FFFFF00036DFB},
        {msr[16], 0x0000FFFF000011FB},
        {msr[17], 0},
        {msr[18], 0},
        {msr[19], 0},
    };

    for (size_t row = 0; row < ARRAY_SIZE(numbers); row++) {
        bool is_present = numbers[row][0] != NONE;
        assert_int_equal(present >> row & 1, is_present);
        if (is_present)
            assert_int_equal(read_number() ^ numbers[row][1], numbers[row][0]);
    }
    assert_int_equal(next, size);
}

static void test_vt_x(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(all_machines); i++) {
        struct cpu_record record = record_of_machine(all_machines[i]);
        set_names(&record, "Intel(R) Core(TM) i9-12900HK: x");
        facts = (struct report_facts){
            .records = &record, .count = 1, .verdict = VERDICT_READY};
        write_and_unpack();
        assert_int_equal(strncmp(text, "HYMIR2:VT-X:READY:INTEL", 23), 0);
        assert_null(strstr(text + 18, "HK:X"));
        assert_fits();
        assert_vt_x(all_machines[i], read_start(record.cpuid.leaf_1.eax, 1, 1));
    }
}

/* A processor whose registers all differ from the usual values. */
static void test_too_long(void **state)
{
    (void)state;
    static struct sheet sheet;
    struct cpu_record wild = record_of_machine(&core_i7_6700k);

    facts = (struct report_facts){.records = &wild, .count = 1, .verdict = VERDICT_READY};
    for (uint32_t i = 0; i < VMX_MSR_COUNT; i++)
        set_msr(&wild, (enum vmx_msr)(VMX_MSR_FIRST + i),
                UINT64_C(0x123456789ABCDEF1) * (i + 1));
    assert_false(short_form_write(&facts, text));
    assert_string_equal(text, "");
    code_page_compose(&facts, &sheet);
    assert_non_null(strstr(sheet.row[0].text, "do not fit in a QR code"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vt_x),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests_name("short_form", tests, NULL, NULL);
}
