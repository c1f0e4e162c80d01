/* src/virt/nested_paging.c on AMD-V: only memory is mapped. */
#include "unit.h"

#include "mm/memory.h"
#include "svm/vmcb.h"

#define MIB     (UINT64_C(1) << 20)
#define ADDRESS UINT64_C(0xFFFFFFFFFF000)

/* Returns the entry that maps a guest-physical address, or 0: APM 2, "Nested Paging". */
static uint64_t entry_of(hpa_t root, uint64_t guest)
{
    uint64_t table = root.value, entry = 0;

    for (int shift = 39; shift >= 12; shift -= 9) {
        entry = ((const uint64_t *)hpa_pointer(hpa(table)))[guest >> shift & 511];
        if ((entry & 1) == 0 || (entry & 0x80) != 0)
            break;
        table = entry & ADDRESS;
    }
    return (entry & 1) != 0 ? entry : 0;
}

static void map_guest(uint64_t size)
{
    uint64_t count        = nested_paging_count_tables(size);
    struct page_pool pool = {.pages = aligned_alloc(PAGE_SIZE, count * PAGE_SIZE),
                             .count = count};
    const uint64_t half   = size / 2;

    memset(pool.pages, 0, count * PAGE_SIZE);
    for (uint64_t start = 0; start < size; start += half)
        assert_int_equal(nested_paging_map(&svm_nested_format, &pool, gpa(start),
                                           hpa(0x40000000 + start), half),
                         STATUS_OK);
    hpa_t root = hpa_of(pool.pages);
    assert_true(pool.used <= pool.count);
    assert_int_equal(entry_of(root, size - 1) & 7, 7);
    assert_int_equal(entry_of(root, size), 0);
    assert_int_equal(entry_of(root, 0xFED80000), 0);
    free(pool.pages);
}

static void test_sizes(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {4 * MIB, 128 * MIB, 3072 * MIB};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        nested_paging_choose_pages(PAGE_SIZE_1_GIB, false);
        map_guest(sizes[i]);
        nested_paging_choose_pages(PAGE_SIZE_2_MIB, false);
        map_guest(sizes[i]);
        nested_paging_choose_pages(PAGE_SIZE, false);
        map_guest(sizes[i]);
    }
}

/* A format without pages that can be split: no large page, for code is never in one. */
static void test_code_in_small_pages(void **state)
{
    (void)state;
    nested_paging_choose_pages(PAGE_SIZE_1_GIB, true);
    uint64_t count        = nested_paging_count_tables(4 * MIB);
    struct page_pool pool = {.pages = aligned_alloc(PAGE_SIZE, count * PAGE_SIZE),
                             .count = count};
    memset(pool.pages, 0, count * PAGE_SIZE);
    assert_int_equal(
        nested_paging_map(&svm_nested_format, &pool, gpa(0), hpa(0x40000000), 4 * MIB),
        STATUS_OK);
    assert_int_equal(entry_of(hpa_of(pool.pages), 0x201234) & (ADDRESS | 0x87),
                     0x40201000 | 7);
    free(pool.pages);
}

/* A guest for whose tables no memory is left. */
static void test_shortage(void **state)
{
    (void)state;
    nested_paging_choose_pages(PAGE_SIZE_2_MIB, false);
    uint64_t count = nested_paging_count_tables(4 * MIB);
    void *pages    = aligned_alloc(PAGE_SIZE, count * PAGE_SIZE);
    for (uint64_t left = 0; left < count; left++) {
        struct page_pool pool = {.pages = pages, .count = left};
        memset(pages, 0, count * PAGE_SIZE);
        enum status status = nested_paging_map(&svm_nested_format, &pool, gpa(0),
                                               hpa(0x40000000), 4 * MIB);
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
    free(pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_code_in_small_pages),
        cmocka_unit_test(test_shortage),
    };
    return cmocka_run_group_tests_name("nested_paging", tests, NULL, NULL);
}
