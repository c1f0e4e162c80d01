/*
 * src/guest/load/linux.c: the page tables at the 64-bit entry point. boot.rst, "64-bit
 * Boot Protocol".
 */
#include "linux_image.h"

static uint64_t table_entry(uint64_t table, uint64_t index)
{
    uint64_t entry;
    assert_true(guest_memory_read(&test_vm.memory,
                                  gpa((table & ~UINT64_C(0xFFF)) + 8 * index), &entry,
                                  sizeof(entry)));
    return entry;
}

/* Translates an address: SDM 3A, "4-Level Paging", with pages of 2 MiB. */
static bool walk_tables(uint64_t address, uint64_t *physical)
{
    uint64_t pml4e = table_entry(start_state.cr3, BITS_GET(address, 47, 39));
    if ((pml4e & 1) == 0)
        return false;
    assert_int_equal(pml4e & ~UINT64_C(0xFFFFF000), 3); /* writable, not a page, no XD */
    uint64_t pdpte = table_entry(pml4e, BITS_GET(address, 38, 30));
    if ((pdpte & 1) == 0)
        return false;
    assert_int_equal(pdpte & ~UINT64_C(0xFFFFF000), 3);
    uint64_t pde = table_entry(pdpte, BITS_GET(address, 29, 21));
    if ((pde & 1) == 0)
        return false;
    assert_int_equal(pde & ~UINT64_C(0xFFE00000), 0x83);
    *physical = (pde & ~UINT64_C(0x1FFFFF)) | BITS_GET(address, 20, 0);
    return true;
}

/* 4 GiB are identity-mapped, and nothing else is; with the tables at two places. */
static void test_page_tables(void **state)
{
    (void)state;
    static const uint8_t initrd[0x40000];
    uint64_t physical;

    make_linux(0x20C);
    header->xloadflags = XLF_KERNEL_64;
    for (int round = 0; round < 2; round++) {
        assert_loaded();
        assert_true(is_aligned(start_state.cr3, PAGE_SIZE));
        for (uint64_t at = 0; at < UINT64_C(1) << 32; at += 0x1F000 + 0x123) {
            assert_true(walk_tables(at, &physical));
            assert_int_equal(physical, at);
        }
        for (uint64_t page = 0; page < 2048; page++) {
            assert_true(walk_tables(page << 21, &physical) && physical == page << 21);
            uint64_t last = (page << 21) + 0x1FFFFF;
            assert_true(walk_tables(last, &physical) && physical == last);
        }
        for (uint64_t gib = 4; gib < 1024; gib++)
            assert_false(walk_tables(gib << 30, &physical));
        for (uint64_t index = 1; index < 512; index++)
            assert_false(walk_tables(index << 39, &physical));
        set_initrd(&parts, initrd, sizeof(initrd));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINUX_TEST(test_page_tables),
    };
    return cmocka_run_group_tests_name("linux paging", tests, NULL, NULL);
}
