/* EPT: src/vmx/ept.c and src/virt/nested_paging.c, compared with a walk written from the
 * SDM's figures. */
#include "unit.h"

#include "lib/bits.h"
#include "mm/memory.h"
#include "random.h"
#include "vmx/ept.h"
#include "vmx/record.h"
#include "vmx/vmx.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)
#define ALL UINT64_C(7) /* read, write, execute */

#define TABLES 2048
static struct page_pool tables;

static void clear_tables(uint64_t count)
{
    memset(tables.pages, 0, TABLES * PAGE_SIZE);
    tables.count = count;
    tables.used  = 0;
}

static struct vmx_capabilities with_ept(uint64_t ept)
{
    struct vmx_capabilities capabilities;
    memset(&capabilities, 0, sizeof(capabilities));
    capabilities.msr[MSR_IA32_VMX_EPT_VPID_CAP - VMX_MSR_FIRST] =
        (struct msr_reading){.state = MSR_READ, .value = ept};
    return capabilities;
}

/* Uses the largest pages that a processor with those capabilities has. */
static void choose_pages(uint64_t ept, bool splits_code)
{
    struct cpu_record record             = {.virtualization = &vt_x};
    vmx_record_of(&record)->capabilities = with_ept(ept);
    nested_paging_choose_pages(vt_x.largest_page(&record), splits_code);
}

static int tables_start(void **state)
{
    (void)state;
    tables.pages = aligned_alloc(PAGE_SIZE, TABLES * PAGE_SIZE);
    clear_tables(TABLES);
    choose_pages(EPT_CAP_PAGES_2_MIB | EPT_CAP_PAGES_1_GIB, false);
    return 0;
}

static int tables_end(void **state)
{
    (void)state;
    free(tables.pages);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tables_start, tables_end)

static bool is_executable; /* the page that walk_tables found */

/*
 * Returns the size of the page that maps guest, 0 if none does; reserved bits must be 0.
 * SDM 3C, figures "Formats of EPTP and EPT Paging-Structure Entries".
 */
static uint64_t walk_tables(uint64_t guest, uint64_t *host)
{
    is_executable           = true;
    const uint64_t *entries = tables.pages;
    for (int shift = 39; shift >= 12; shift -= 9) {
        uint64_t entry = entries[guest >> shift & 0x1FF];
        uint64_t size  = UINT64_C(1) << shift;
        bool is_page   = shift == 12 || (entry & BIT(7)) != 0;
        if ((entry & ALL) == 0)
            return 0;
        assert_int_equal(entry & 3, 3);
        is_executable &= (entry & 4) != 0;
        assert_int_equal(entry >> 52, 0);
        if (is_page) {
            assert_true(shift <= 30);
            assert_int_equal(BITS_GET(entry, 5, 3), 6); /* write-back */
            if (shift > 12)
                assert_int_equal(entry & (size - 1) & ~UINT64_C(0xFFF), 0);
            *host = (entry & 0x000FFFFFFFFFF000) + (guest & (size - 1));
            return size;
        }
        assert_int_equal(BITS_GET(entry, 7, 3), 0); /* reserved: not a page */
        entries = (const uint64_t *)(entry & 0x000FFFFFFFFFF000);
    }
    return 0;
}

static enum status map(uint64_t guest, uint64_t host, uint64_t size)
{
    return nested_paging_map(&ept_format, &tables, gpa(guest), hpa(host), size);
}

static void assert_maps(uint64_t guest, uint64_t host, uint64_t page_size)
{
    uint64_t found = 0;
    assert_int_equal(walk_tables(guest, &found), page_size);
    assert_int_equal(found, host);
    assert_true(is_executable);
}

static void assert_hole(uint64_t guest)
{
    uint64_t found;
    assert_int_equal(walk_tables(guest, &found), 0);
}

static void test_largest_page_that_fits(void **state)
{
    (void)state;
    assert_int_equal(map(0, 4 * GIB, 2 * GIB + 2 * MIB + PAGE_SIZE), STATUS_OK);
    assert_maps(0, 4 * GIB, GIB);
    assert_maps(2 * GIB - 1, 6 * GIB - 1, GIB);
    assert_maps(2 * GIB, 6 * GIB, 2 * MIB);
    assert_maps(2 * GIB + 2 * MIB + 0xFFF, 6 * GIB + 2 * MIB + 0xFFF, PAGE_SIZE);
    assert_hole(2 * GIB + 2 * MIB + PAGE_SIZE);
    /* A host address with less alignment than the guest's uses smaller pages. */
    assert_int_equal(map(8 * GIB, GIB + 2 * MIB, GIB), STATUS_OK);
    assert_maps(8 * GIB, GIB + 2 * MIB, 2 * MIB);
    assert_int_equal(map(16 * GIB, GIB + PAGE_SIZE, 4 * MIB), STATUS_OK);
    assert_maps(16 * GIB + 3 * MIB, GIB + 3 * MIB + PAGE_SIZE, PAGE_SIZE);
}

static void test_page_size_is_the_processors(void **state)
{
    (void)state;
    static const struct {
        uint64_t ept;
        bool splits_code;
        uint64_t page_size, alignment;
    } cases[] = {
        {EPT_CAP_PAGES_2_MIB | EPT_CAP_PAGES_1_GIB, true, 2 * MIB, 2 * MIB},
        {EPT_CAP_PAGES_2_MIB | EPT_CAP_PAGES_1_GIB, false, GIB, GIB},
        {EPT_CAP_PAGES_2_MIB, true, 2 * MIB, 2 * MIB},
        {EPT_CAP_PAGES_2_MIB, false, 2 * MIB, 2 * MIB},
        {0, true, PAGE_SIZE, 2 * MIB},
        {0, false, PAGE_SIZE, 2 * MIB},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t found;
        choose_pages(cases[i].ept, cases[i].splits_code);
        clear_tables(nested_paging_count_tables(GIB));
        assert_int_equal(map(0, GIB, GIB), STATUS_OK);
        for (uint64_t at = 0; at < GIB; at += GIB - 1) {
            assert_int_equal(walk_tables(at, &found), cases[i].page_size);
            assert_int_equal(found, GIB + at);
            assert_int_equal(is_executable,
                             !cases[i].splits_code || cases[i].page_size == PAGE_SIZE);
        }
        assert_int_equal(nested_paging_alignment(gpa(GIB), GIB), cases[i].alignment);
        assert_int_equal(nested_paging_alignment(gpa(0), GIB - 2 * MIB), 2 * MIB);
        assert_int_equal(nested_paging_alignment(gpa(2 * MIB), GIB), 2 * MIB);
    }
}

/* Pieces in any order: each byte is mapped to its place, and nothing else is. */
static void test_random_pieces(void **state)
{
    (void)state;
    enum { SLOTS = 512 };
    static uint64_t host_of[SLOTS];
    uint64_t slot_size = 2 * MIB;
    for (unsigned int i = 0; i < 400; i++) {
        uint64_t slot = random_below(SLOTS);
        uint64_t host = GIB + random_below(100000) * PAGE_SIZE;
        if (host_of[slot] != 0)
            continue;
        host_of[slot] = host;
        assert_int_equal(map(slot * slot_size, host, slot_size), STATUS_OK);
    }
    for (uint64_t slot = 0; slot < SLOTS; slot++) {
        uint64_t offset = random_below(slot_size);
        uint64_t found  = 0;
        uint64_t size   = walk_tables(slot * slot_size + offset, &found);
        assert_int_equal(size != 0, host_of[slot] != 0);
        if (size != 0)
            assert_int_equal(found, host_of[slot] + offset);
    }
}

static void assert_is_data(uint64_t guest, uint64_t host)
{
    uint64_t found;
    assert_int_equal(walk_tables(guest, &found), 2 * MIB);
    assert_int_equal(found, host);
    assert_false(is_executable);
}

static enum status execute(uint64_t guest)
{
    return nested_paging_allow_execution(&ept_format, &tables, gpa(guest));
}

/* iTLB multihit: no large page is ever executable. */
static void test_execution(void **state)
{
    (void)state;
    nested_paging_choose_pages(GIB, true);
    clear_tables(nested_paging_count_tables(8 * MIB));
    assert_int_equal(map(0, GIB, 8 * MIB), STATUS_OK);
    assert_is_data(3 * MIB, GIB + 3 * MIB);
    for (int i = 0; i < 2; i++) { /* by two vCPUs */
        assert_int_equal(execute(3 * MIB + 0x123), STATUS_OK);
        assert_int_equal(tables.used, 4);
        assert_maps(2 * MIB, GIB + 2 * MIB, PAGE_SIZE);
        assert_maps(3 * MIB + 0x123, GIB + 3 * MIB + 0x123, PAGE_SIZE);
        assert_maps(4 * MIB - 1, GIB + 4 * MIB - 1, PAGE_SIZE);
        assert_is_data(2 * MIB - 1, GIB + 2 * MIB - 1);
        assert_is_data(4 * MIB, GIB + 4 * MIB);
    }
    assert_int_equal(execute(8 * MIB), STATUS_NOT_FOUND);
    tables.count = tables.used;
    assert_int_equal(execute(0), STATUS_NO_MEMORY);
    assert_is_data(0, GIB);
}

/* With any alignment; alone, such as the APIC-access page. */
static void test_execution_of_parts(void **state)
{
    (void)state;
    nested_paging_choose_pages(GIB, true);
    assert_int_equal(map(0xFEE00000, GIB, PAGE_SIZE), STATUS_OK);
    assert_maps(0xFEE00000, GIB, PAGE_SIZE);
    assert_int_equal(map(0, GIB, 2 * MIB + PAGE_SIZE), STATUS_OK);
    assert_maps(0, GIB, PAGE_SIZE);
    assert_maps(2 * MIB, GIB + 2 * MIB, PAGE_SIZE);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (uint64_t count = 0; count < 4; count++) {
        clear_tables(count);
        assert_int_equal(map(0, GIB, PAGE_SIZE), STATUS_NO_MEMORY);
    }
    clear_tables(4); /* four levels */
    assert_int_equal(map(0, GIB, PAGE_SIZE), STATUS_OK);
}

/* As many tables as were counted suffice, for pieces at any multiples of 2 MiB. */
static void test_count(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {2 * MIB, 64 * MIB, GIB, GIB + 2 * MIB, 3 * GIB};
    for (size_t i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
        uint64_t size = sizes[i / 2], done = 0;
        choose_pages(EPT_CAP_PAGES_2_MIB | EPT_CAP_PAGES_1_GIB, i % 2 == 0);
        clear_tables(nested_paging_count_tables(size));
        while (done < size) {
            uint64_t piece = (1 + random_below(700)) * 2 * MIB;
            if (piece > size - done)
                piece = size - done;
            assert_int_equal(map(done, 64 * GIB + 3 * done, piece), STATUS_OK);
            done += piece;
        }
        for (uint64_t at = 0; at < size && i % 2 == 0; at += 2 * MIB)
            assert_int_equal(execute(at), STATUS_OK);
        uint64_t found;
        assert_true(walk_tables(size - 1, &found) > 0);
        assert_true(is_executable);
        assert_hole(size);
    }
}

/* SDM 3C, "Extended-Page-Table Pointer (EPTP)". */
static void test_pointer(void **state)
{
    (void)state;
    struct vmx_capabilities plain   = with_ept(0);
    struct vmx_capabilities flagged = with_ept(EPT_CAP_ACCESSED);
    assert_int_equal(ept_pointer(&plain, hpa(0x12345000)), 0x12345000 | 3 << 3 | 6);
    assert_int_equal(ept_pointer(&flagged, hpa(0x12345000)),
                     0x12345000 | 1 << 6 | 3 << 3 | 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_largest_page_that_fits),
        TEST(test_page_size_is_the_processors),
        TEST(test_random_pieces),
        TEST(test_execution),
        TEST(test_execution_of_parts),
        TEST(test_no_memory),
        TEST(test_count),
        TEST(test_pointer),
    };
    return cmocka_run_group_tests_name("ept", tests, NULL, NULL);
}
