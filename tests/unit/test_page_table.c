/* src/mm/page_table.c, compared with a walk written from the SDM's figures. */
#include "unit.h"

#include "lib/bits.h"
#include "mm/page_table.h"
#include "random.h"

#define PRESENT  BIT(0)
#define WRITABLE BIT(1)
#define NX       BIT(63)

static void *pages[4096];
static size_t page_count;
static size_t page_limit;

static enum status allocate_page(void *context, void **page)
{
    (void)context;
    if (page_count == page_limit)
        return STATUS_NO_MEMORY;
    *page = aligned_alloc(4096, 4096);
    memset(*page, 0, 4096);
    pages[page_count++] = *page;
    return STATUS_OK;
}

static const struct page_table_format ia32e = {.present = PRESENT,
                                               .table   = PRESENT | WRITABLE};
static const struct page_table_format ept   = {.present = 7, .table = 7};
static struct page_table table;

static int table_start(void **state)
{
    (void)state;
    page_count = 0;
    page_limit = 4096;
    table      = (struct page_table){
             .format = &ia32e, .allocate = allocate_page, .largest_page = PAGE_SIZE_1_GIB};
    return page_table_init(&table) == STATUS_OK ? 0 : -1;
}

static int table_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < page_count; i++)
        free(pages[i]);
    return 0;
}

/*
 * Returns the entry that maps virtual: SDM 3A, figures "Linear-Address Translation ...
 * using 4-Level Paging".
 */
static uint64_t reference_walk(uint64_t virtual, uint64_t present, uint64_t *physical)
{
    const uint64_t *entries = (const uint64_t *)table.root.value;
    for (int shift = 39; shift >= 12; shift -= 9) {
        uint64_t entry   = entries[virtual >> shift & 0x1FF];
        uint64_t address = entry & 0x000FFFFFFFFFF000;
        if ((entry & present) == 0)
            return 0;
        if (shift == 12 || (entry & 0x80) != 0) {
            *physical = address + (virtual & ((UINT64_C(1) << shift) - 1));
            return entry;
        }
        entries = (const uint64_t *)address;
    }
    return 0;
}

static void assert_mapped(uint64_t virtual, uint64_t physical, uint64_t attributes,
                          uint64_t page_size)
{
    struct page_mapping mapping;
    uint64_t found = 0;
    uint64_t entry = reference_walk(virtual, table.format->present, &found);
    assert_true(entry != 0);
    assert_int_equal(found, physical);
    assert_int_equal(page_table_lookup(&table, virtual, &mapping), STATUS_OK);
    assert_int_equal(mapping.physical.value, physical);
    assert_int_equal(mapping.attributes, attributes);
    assert_int_equal(mapping.page_size, page_size);
}

static void assert_unmapped(uint64_t virtual)
{
    struct page_mapping mapping;
    uint64_t physical;
    assert_int_equal(reference_walk(virtual, table.format->present, &physical), 0);
    assert_int_equal(page_table_lookup(&table, virtual, &mapping), STATUS_NOT_FOUND);
}

static void assert_maps(uint64_t virtual, uint64_t physical, uint64_t size,
                        uint64_t attributes)
{
    assert_int_equal(page_table_map(&table, virtual, hpa(physical), size, attributes),
                     STATUS_OK);
}

static void test_largest_pages(void **state)
{
    (void)state;
    assert_maps(0x1FF000, 0x1FF000, 2 * PAGE_SIZE_1_GIB, PRESENT | WRITABLE | NX);
    assert_unmapped(0x1FE000);
    assert_mapped(0x1FF123, 0x1FF123, PRESENT | WRITABLE | NX, PAGE_SIZE);
    assert_mapped(0x200000, 0x200000, PRESENT | WRITABLE | NX, PAGE_SIZE_2_MIB);
    assert_mapped(0x40000000, 0x40000000, PRESENT | WRITABLE | NX, PAGE_SIZE_1_GIB);
    assert_mapped(0x801FEFFF, 0x801FEFFF, PRESENT | WRITABLE | NX, PAGE_SIZE);
    assert_unmapped(0x801FF000);
}

static void test_largest_page_setting(void **state)
{
    (void)state;
    table.largest_page = PAGE_SIZE_2_MIB;
    assert_maps(0x40000000, 0x40000000, PAGE_SIZE_1_GIB, PRESENT);
    assert_mapped(0x40000000, 0x40000000, PRESENT, PAGE_SIZE_2_MIB);
    table.largest_page = PAGE_SIZE;
    assert_maps(0x200000, 0x200000, PAGE_SIZE_2_MIB, PRESENT);
    assert_mapped(0x200000, 0x200000, PRESENT, PAGE_SIZE);
}

/* Virtual and physical addresses differ: large pages require both to be aligned. */
static void test_different_addresses(void **state)
{
    (void)state;
    table.format = &ept;
    assert_maps(0, 0x40200000, 0x600000, 7 | 6 << 3);
    assert_mapped(0x3FF, 0x402003FF, 7 | 6 << 3, PAGE_SIZE_2_MIB);
    assert_maps(0x40000000, 0x1000, 0x400000, 7 | 6 << 3);
    assert_mapped(0x40000000, 0x1000, 7 | 6 << 3, PAGE_SIZE);
    assert_mapped(0x403FFFFF, 0x400FFF, 7 | 6 << 3, PAGE_SIZE);
}

static void test_split(void **state)
{
    (void)state;
    assert_maps(0, 0, PAGE_SIZE_1_GIB, PRESENT | WRITABLE | NX);
    assert_maps(0x100000, 0x100000, PAGE_SIZE, PRESENT);
    assert_mapped(0x0FFFFF, 0x0FFFFF, PRESENT | WRITABLE | NX, PAGE_SIZE);
    assert_mapped(0x100000, 0x100000, PRESENT, PAGE_SIZE);
    assert_mapped(0x101000, 0x101000, PRESENT | WRITABLE | NX, PAGE_SIZE);
    assert_mapped(0x200000, 0x200000, PRESENT | WRITABLE | NX, PAGE_SIZE_2_MIB);
    assert_int_equal(table.table_count, 4);
}

/* Each split makes pages of the next size, whose attributes may be others. */
static void test_split_with_attributes(void **state)
{
    (void)state;
    assert_maps(0, PAGE_SIZE_1_GIB, 2 * PAGE_SIZE_1_GIB, PRESENT | NX);
    assert_int_equal(page_table_split(&table, 0x201234, PRESENT | WRITABLE), STATUS_OK);
    assert_mapped(0, 0x40000000, PRESENT | WRITABLE, PAGE_SIZE_2_MIB);
    assert_mapped(0x3FFFFFFF, 0x7FFFFFFF, PRESENT | WRITABLE, PAGE_SIZE_2_MIB);
    assert_mapped(0x40000000, 0x80000000, PRESENT | NX, PAGE_SIZE_1_GIB);
    for (int i = 0; i < 2; i++) { /* the second time there is nothing to split */
        assert_int_equal(page_table_split(&table, 0x201234, PRESENT), STATUS_OK);
        assert_mapped(0x1FFFFF, 0x401FFFFF, PRESENT | WRITABLE, PAGE_SIZE_2_MIB);
        assert_mapped(0x200000, 0x40200000, PRESENT, PAGE_SIZE);
        assert_mapped(0x3FFFFF, 0x403FFFFF, PRESENT, PAGE_SIZE);
        assert_mapped(0x400000, 0x40400000, PRESENT | WRITABLE, PAGE_SIZE_2_MIB);
    }
    assert_int_equal(page_table_split(&table, 0x80000000, PRESENT), STATUS_NOT_FOUND);
    page_limit = page_count;
    assert_int_equal(page_table_split(&table, 0x400000, PRESENT), STATUS_NO_MEMORY);
    assert_mapped(0x400000, 0x40400000, PRESENT | WRITABLE, PAGE_SIZE_2_MIB);
}

static void test_unmap(void **state)
{
    (void)state;
    assert_maps(0, 0, 0x400000, PRESENT | WRITABLE);
    assert_maps(0x1000, 0x1000, PAGE_SIZE, 0);
    assert_maps(0x200000, 0x200000, PAGE_SIZE_2_MIB, 0);
    assert_mapped(0, 0, PRESENT | WRITABLE, PAGE_SIZE);
    assert_unmapped(0x1000);
    assert_mapped(0x2000, 0x2000, PRESENT | WRITABLE, PAGE_SIZE);
    assert_unmapped(0x200000);
    assert_unmapped(0x3FFFFF);
}

static void test_refusals(void **state)
{
    (void)state;
    assert_int_equal(page_table_map(&table, 0x800, hpa(0), PAGE_SIZE, PRESENT),
                     STATUS_OUT_OF_RANGE);
    assert_int_equal(page_table_map(&table, 0, hpa(0x800), PAGE_SIZE, PRESENT),
                     STATUS_OUT_OF_RANGE);
    assert_int_equal(page_table_map(&table, 0, hpa(0), 0x800, PRESENT),
                     STATUS_OUT_OF_RANGE);
    assert_int_equal(page_table_map(&table, PAGE_TABLE_LIMIT - PAGE_SIZE, hpa(0),
                                    2 * PAGE_SIZE, PRESENT),
                     STATUS_OUT_OF_RANGE);
    assert_int_equal(
        page_table_map(&table, PAGE_SIZE, hpa(0), UINT64_MAX - 4095, PRESENT),
        STATUS_OUT_OF_RANGE);
    assert_int_equal(table.table_count, 1);
    assert_unmapped(PAGE_TABLE_LIMIT + PAGE_SIZE);
    assert_maps(PAGE_TABLE_LIMIT - PAGE_SIZE, 0, PAGE_SIZE, PRESENT);
    assert_maps(0, 0, 0, PRESENT);
}

static void test_no_memory(void **state)
{
    (void)state;
    page_limit = 3; /* the root and two more; the walk needs three */
    assert_int_equal(page_table_map(&table, 0, hpa(0), PAGE_SIZE, PRESENT),
                     STATUS_NO_MEMORY);
    assert_unmapped(0);
    page_limit = 4;
    assert_maps(0, 0, PAGE_SIZE, PRESENT);
    assert_mapped(0, 0, PRESENT, PAGE_SIZE);
    /* A large page that cannot be split is unchanged. */
    assert_maps(PAGE_SIZE_2_MIB, PAGE_SIZE_2_MIB, PAGE_SIZE_2_MIB, PRESENT);
    assert_int_equal(
        page_table_map(&table, PAGE_SIZE_2_MIB, hpa(PAGE_SIZE_2_MIB), PAGE_SIZE, 0),
        STATUS_NO_MEMORY);
    assert_mapped(PAGE_SIZE_2_MIB, PAGE_SIZE_2_MIB, PRESENT, PAGE_SIZE_2_MIB);
}

/* Compared with an array that has one row for each page. */
static void test_random_use(void **state)
{
    (void)state;
    enum { PAGES = 2048 };
    static uint64_t physical[PAGES], attributes[PAGES];
    memset(attributes, 0, sizeof(attributes));
    for (int round = 0; round < 2000; round++) {
        uint64_t first = random_below(PAGES);
        uint64_t count = 1 + random_below(PAGES - first);
        uint64_t base  = random_below(4) == 0 ? first : random_below(1 << 20);
        uint64_t bits =
            random_below(3) == 0 ? 0 : PRESENT | (random_below(2) ? WRITABLE : NX);
        if (random_below(2) == 0) { /* often whole large pages */
            first &= ~UINT64_C(511);
            base &= ~UINT64_C(511);
            count = 512;
        }
        assert_maps(first * PAGE_SIZE, base * PAGE_SIZE, count * PAGE_SIZE, bits);
        for (uint64_t i = 0; i < count; i++) {
            physical[first + i]   = (base + i) * PAGE_SIZE;
            attributes[first + i] = bits;
        }
    }
    for (uint64_t i = 0; i < PAGES; i++) {
        struct page_mapping mapping;
        if (attributes[i] == 0) {
            assert_unmapped(i * PAGE_SIZE);
            continue;
        }
        assert_int_equal(page_table_lookup(&table, i * PAGE_SIZE, &mapping), STATUS_OK);
        assert_mapped(i * PAGE_SIZE, physical[i], attributes[i], mapping.page_size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_largest_pages, table_start, table_end),
        cmocka_unit_test_setup_teardown(test_largest_page_setting, table_start,
                                        table_end),
        cmocka_unit_test_setup_teardown(test_different_addresses, table_start, table_end),
        cmocka_unit_test_setup_teardown(test_split, table_start, table_end),
        cmocka_unit_test_setup_teardown(test_split_with_attributes, table_start,
                                        table_end),
        cmocka_unit_test_setup_teardown(test_unmap, table_start, table_end),
        cmocka_unit_test_setup_teardown(test_refusals, table_start, table_end),
        cmocka_unit_test_setup_teardown(test_no_memory, table_start, table_end),
        cmocka_unit_test_setup_teardown(test_random_use, table_start, table_end),
    };
    return cmocka_run_group_tests_name("page_table", tests, NULL, NULL);
}
