/* See nested_paging.h. */
#include "svm/nested_paging.h"

#include "lib/string.h"
#include "x86/paging.h"

#define CHIPSET_REGISTERS UINT64_C(0xFED80000)
#define CHIPSET_PAGES     3U /* the page, and tables of two levels */

#define NESTED_ENTRY (PAGE_ENTRY_PRESENT | PAGE_ENTRY_WRITABLE | PAGE_ENTRY_USER)

static const struct page_table_format format = {.present = PAGE_ENTRY_PRESENT,
                                                .table   = NESTED_ENTRY};

static uint64_t largest_page = PAGE_SIZE;

void nested_paging_choose_page_size(bool are_large_pages_allowed, bool has_1_gib_pages)
{
    largest_page = !are_large_pages_allowed ? PAGE_SIZE
                   : has_1_gib_pages        ? PAGE_SIZE_1_GIB
                                            : PAGE_SIZE_2_MIB;
}

uint64_t nested_paging_count_tables(uint64_t size)
{
    return page_table_count(size, largest_page) + CHIPSET_PAGES;
}

enum status nested_paging_map(hpa_t *root, struct page_pool *tables, gpa_t guest,
                              hpa_t host, uint64_t size)
{
    struct page_table table = {.format       = &format,
                               .allocate     = page_pool_allocate,
                               .context      = tables,
                               .largest_page = largest_page};
    enum status status      = page_table_open(&table, root);

    return status != STATUS_OK
               ? status
               : page_table_map(&table, guest.value, host, size, NESTED_ENTRY);
}

enum status nested_paging_map_guest(hpa_t *root, struct page_pool *tables, gpa_t guest,
                                    hpa_t host, uint64_t size)
{
    bool is_first      = root->value == 0;
    enum status status = nested_paging_map(root, tables, guest, host, size);
    void *page;

    if (status == STATUS_OK && is_first)
        status = page_pool_allocate(tables, &page);
    if (status != STATUS_OK || !is_first)
        return status;
    memset(page, 0xFF, PAGE_SIZE);
    return nested_paging_map(root, tables, gpa(CHIPSET_REGISTERS), hpa_of(page),
                             PAGE_SIZE);
}
