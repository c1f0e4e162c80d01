/* src/report/verdict_sheet.c: the screen for each verdict. */
#include "verdict_vt_x.h"

#include "report/verdict_sheet.h"
#include "svm/svm.h"

static const char *error;

static struct sheet sheet_compose(size_t count)
{
    struct report_facts facts = {.version    = "1.2.3",
                                 .machine    = "LENOVO 20L5CTO1WW",
                                 .firmware   = "UEFI, LENOVO N24ET70W (1.45 )",
                                 .ram_bytes  = UINT64_C(16) << 30,
                                 .used_bytes = 456 << 10,
                                 .records    = records,
                                 .count      = count,
                                 .error      = error};
    struct sheet sheet;
    struct text text   = {.buffer = verdict_text, .size = sizeof(verdict_text)};
    verdict_text[0]    = '\0';
    facts.verdict      = verdict_decide(records, count, &scope, &text);
    facts.verdict_text = verdict_text;
    verdict_sheet_compose(&facts, &sheet);
    assert_false(sheet.overflow);
    return sheet;
}

static bool has_row(const struct sheet *sheet, const char *words)
{
    for (size_t i = 0; i < sheet->rows; i++) {
        if (strstr(sheet->row[i].text, words) != NULL)
            return true;
    }
    return false;
}

/* Asserts that the whole verdict is at the bottom. */
static void assert_verdict_at_bottom(const struct sheet *sheet)
{
    char joined[1024] = "";
    size_t first      = sheet->rows - 1;
    while (first > 0 && sheet->row[first].text[0] != '\0' &&
           strncmp(sheet->row[first].text, "cpu ", 4) != 0 &&
           strncmp(sheet->row[first].text, "... of ", 7) != 0)
        first--;
    for (size_t i = first + 1; i < sheet->rows; i++) {
        strcat(joined, sheet->row[i].text);
        strcat(joined, i + 1 < sheet->rows ? " " : "");
    }
    const char *colon = strstr(joined, ": ");
    assert_non_null(colon);
    assert_string_equal(colon + 2, verdict_text);
}

static void test_sheet_ready(void **state)
{
    (void)state;
    struct sheet sheet = sheet_compose(4);
    assert_string_equal(sheet.row[0].text,
                        "Hymir 1.2.3: does VT-x work on this machine?");
    assert_true(has_row(&sheet, "LENOVO 20L5CTO1WW"));
    assert_true(has_row(&sheet, "UEFI, LENOVO N24ET70W"));
    assert_true(has_row(&sheet, "GenuineIntel, family 6 model 0x9e stepping 10"));
    assert_true(has_row(&sheet, "none detected"));
    assert_true(has_row(&sheet, "16384 MiB; Hymir uses 456 KiB"));
    assert_true(has_row(&sheet, "ok       VMXON                 VMXON succeeded"));
    assert_true(has_row(&sheet, "cpu 3: apic 6: ok"));
    assert_verdict_at_bottom(&sheet);
    assert_int_equal(sheet.row[sheet.rows - 1].emphasis, EMPHASIS_GOOD);
}

/* The title names what CPUID offers. */
static void test_sheet_title(void **state)
{
    (void)state;
    remove_vmx(&records[0]);
    assert_string_equal(sheet_compose(1).row[0].text,
                        "Hymir 1.2.3: does virtualization work on this machine?");
    records[0].cpuid.leaf_80000001.ecx |= (uint32_t)CPUID_80000001_ECX_SVM;
    records[0].virtualization = &amd_v;
    assert_string_equal(sheet_compose(1).row[0].text,
                        "Hymir 1.2.3: does AMD-V work on this machine?");
}

/* One line for each CPU if they fit; otherwise those that are not ready, and a count. */
static void test_sheet_many_cpus(void **state)
{
    (void)state;
    struct sheet sheet = sheet_compose(7);
    assert_true(has_row(&sheet, "cpu 6: apic 12: ok"));
    sheet = sheet_compose(8);
    assert_true(has_row(&sheet, "cpu 5: apic 10: ok"));
    assert_false(has_row(&sheet, "cpu 6: "));
    assert_true(has_row(&sheet, "... of 8 CPUs: 8 ok, 0 not"));
    set_feature_control(40, 1);
    set_feature_control(50, 1);
    sheet = sheet_compose(64);
    assert_true(has_row(&sheet, "cpu 40: apic 80: LOCKED-OFF"));
    assert_true(has_row(&sheet, "cpu 50: apic 100: LOCKED-OFF"));
    assert_true(has_row(&sheet, "... of 64 CPUs: 62 ok, 2 not"));
    /* The checks shown are those of a CPU that failed, which is named. */
    assert_true(has_row(&sheet, "CPU 40      "));
    assert_true(
        has_row(&sheet, "missing  IA32_FEATURE_CONTROL  0x1: locked, VMX disabled"));
    for (size_t i = 20; i < 64; i++)
        set_feature_control(i, 1);
    sheet = sheet_compose(64);
    assert_true(has_row(&sheet, "cpu 20: apic 40: LOCKED-OFF"));
    assert_true(has_row(&sheet, "... of 64 CPUs: 20 ok, 44 not"));
}

static void test_sheet_after_failure(void **state)
{
    (void)state;
    set_feature_control(0, 1);
    struct sheet sheet = sheet_compose(1);
    assert_true(has_row(&sheet, "ok       VMX in CPUID"));
    assert_true(
        has_row(&sheet, "missing  IA32_FEATURE_CONTROL  0x1: locked, VMX disabled"));
    assert_true(has_row(&sheet, "-        VMXON"));
    assert_verdict_at_bottom(&sheet);
    assert_int_equal(sheet.row[sheet.rows - 1].emphasis, EMPHASIS_BAD);
}

/* The longest possible sheet: every row is full, and the advice is complete. */
static void test_sheet_longest(void **state)
{
    (void)state;
    for (size_t i = 0; i < 64; i++) {
        remove_vmx(&records[i]);
        set_hypervisor(&records[i], "VMwareVMware");
    }
    struct sheet sheet = sheet_compose(64);
    assert_int_equal(sheet.rows, SHEET_ROWS);
    assert_verdict_at_bottom(&sheet);

    /* CPUs that differ in everything: the screen ends in dots, */
    records_start(NULL);
    for (size_t i = 1; i < 64; i++) {
        set_msr(&records[i], MSR_IA32_VMX_CR4_FIXED0, BIT(63));
        records[i].cr4 = 0x7FFFFFFFFFFFDFFF;
    }
    scope.machine = "unknown";
    sheet         = sheet_compose(64);
    assert_int_equal(sheet.rows, SHEET_ROWS);
    records_start(NULL);
    for (size_t i = 0; i < 2; i++)
        set_feature_control(i, 3);
    sheet = sheet_compose(2);
    assert_verdict_at_bottom(&sheet);
    /* and the advice for CPUs with different settings is complete. */
    records_start(NULL);
    for (size_t i = 0; i < 3; i++) {
        vmx_record_of(&records[i])->feature_control                = reading_of(0);
        vmx_record_of(&records[i])->steps.feature_control.is_tried = true;
        vmx_record_of(&records[i])->steps.feature_control.reading  = reading_of(5);
    }
    set_feature_control(3, 1);
    sheet = sheet_compose(4);
    assert_verdict_at_bottom(&sheet);
}

/* An error is below the verdict, in rows that many CPUs give up. */
static void test_sheet_error(void **state)
{
    (void)state;
    error =
        "error: vm linux: not enough memory: memory=256M needs a machine with 289 MiB, "
        "and this one has 127; start QEMU with -m 1G";
    for (size_t count = 1; count <= 64; count += 63) {
        struct sheet sheet = sheet_compose(count);
        assert_true(has_row(&sheet, "READY: "));
        assert_string_equal(sheet.row[sheet.rows - 2].text,
                            "error: vm linux: not enough memory: memory=256M needs a "
                            "machine with 289 MiB,");
        assert_string_equal(sheet.row[sheet.rows - 1].text,
                            "and this one has 127; start QEMU with -m 1G");
        assert_int_equal(sheet.row[sheet.rows - 1].emphasis, EMPHASIS_BAD);
    }
    error = NULL;
}

#define TEST(name) cmocka_unit_test_setup(name, records_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sheet_ready),     TEST(test_sheet_title),
        TEST(test_sheet_many_cpus), TEST(test_sheet_after_failure),
        TEST(test_sheet_longest),   TEST(test_sheet_error),
    };
    return cmocka_run_group_tests_name("verdict_sheet", tests, NULL, NULL);
}
