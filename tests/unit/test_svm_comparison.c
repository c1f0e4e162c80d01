/* src/svm/svm.c: the registers of AMD-V, in check/comparison.c and the report. */
#include "snapshots_amd.h"

#include "check/comparison.h"
#include "svm/vmcb.h"

static struct cpu_record records[4];

static int records_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(records); i++)
        records[i] = record_ready(&epyc_9654);
    return 0;
}

/* Appends the names of the rows in which the CPUs differ. */
static void append_differences(struct text *text)
{
    for (size_t row = 0; row < comparison_count(&amd_v); row++) {
        if (comparison_differs(row, records, ARRAY_SIZE(records)))
            text_append(text, "%s%s", text->length > 0 ? ", " : "",
                        comparison_name(&amd_v, row));
    }
}

static void assert_differences(const char *expected)
{
    TEXT_DECLARE(text, 256);
    append_differences(&text);
    assert_string_equal(text.buffer, expected);
}

static void append_value(const char *value, const char *cpus, void *context)
{
    struct text *text = context;
    text_append(text, "%s%s on cpu %s", text->length > 0 ? "; " : "", value, cpus);
}

/* The VMCB's host save area is each CPU's own, and not compared. */
static void test_registers(void **state)
{
    (void)state;
    assert_differences("");
    svm_record_of(&records[1])->vm_hsave_pa = reading_of(0x1000);
    assert_differences("");
    svm_record_of(&records[1])->vm_cr = reading_of(0x18);
    assert_differences("VM_CR");
    svm_record_of(&records[2])->efer = reading_of(0xD01);
    assert_differences("VM_CR, EFER");
    records[3].arch_capabilities = reading_of(1);
    assert_differences("VM_CR, EFER, IA32_ARCH_CAPABILITIES");
    records_start(NULL);
    svm_record_of(&records[2])->vm_cr = msr_raised_gp;
    for (size_t row = 0; row < comparison_count(&amd_v); row++) {
        TEXT_DECLARE(text, 256);
        if (strcmp(comparison_name(&amd_v, row), "VM_CR") != 0)
            continue;
        comparison_visit_values(row, records, 4, append_value, &text);
        assert_string_equal(text.buffer, "0x8 on cpu 0-1,3; exception 13 on cpu 2");
        return;
    }
    fail_msg("no row is called VM_CR");
}

static void test_record_msr(void **state)
{
    (void)state;
    svm_record_of(&records[0])->vm_hsave_pa = reading_of(0x7000);
    records[0].arch_capabilities            = reading_of(5);
    assert_int_equal(record_msr(&records[0], 0xC0010114).value, 8);
    assert_int_equal(record_msr(&records[0], 0xC0000080).value, 0xD00);
    assert_int_equal(record_msr(&records[0], 0xC0010117).value, 0x7000);
    assert_int_equal(record_msr(&records[0], 0x10A).value, 5);
    assert_int_equal(record_msr(&records[0], 0x3A).state, MSR_NOT_READ);
}

/* A processor of another generation on the second socket: what both have. */
static void test_usable(void **state)
{
    (void)state;
    struct capability_set usable;

    for (size_t i = 2; i < 4; i++)
        records[i] = record_ready(&epyc_7763);
    assert_true(comparison_usable(records, 4, &usable));
    assert_int_equal(usable.group[GROUP_FEATURES].may_be_1, 0x1FBFBCFF & 0x119B9CFF);
    assert_int_equal(usable.group[GROUP_ENCRYPTION].may_be_1, 0x030FFFEB & 0x0001FC3F);
    assert_int_equal(usable.group[GROUP_ASIDS].may_be_1, 32768);
}

/* Returns the number of tables that map 1 GiB. */
static size_t tables_for_1_gib(bool are_large_pages_allowed)
{
    struct page_pool pool = {.pages = aligned_alloc(4096, 520 * 4096), .count = 520};

    memset(pool.pages, 0, 520 * 4096);
    nested_paging_choose_pages(
        are_large_pages_allowed ? amd_v.largest_page(&records[0]) : PAGE_SIZE, false);
    assert_int_equal(
        nested_paging_map(&svm_nested_format, &pool, gpa(0), hpa(0x40000000), 0x40000000),
        STATUS_OK);
    free(pool.pages);
    return pool.used;
}

/* A PML4 and a PDPT; a page directory, if there are no pages of 1 GiB; page tables. */
static void test_large_pages(void **state)
{
    (void)state;
    assert_int_equal(tables_for_1_gib(true), 2);
    records[0].cpuid.leaf_80000001.edx &= ~(uint32_t)BIT(26);
    assert_int_equal(tables_for_1_gib(true), 3);
    assert_int_equal(tables_for_1_gib(false), 2 + 1 + 512);
}

#define TEST(name) cmocka_unit_test_setup(name, records_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_registers),
        TEST(test_record_msr),
        TEST(test_usable),
        TEST(test_large_pages),
    };
    return cmocka_run_group_tests_name("svm_comparison", tests, NULL, NULL);
}
