/* See nested_paging.h. */
#include "virt/nested_paging.h"

static uint64_t largest_page = PAGE_SIZE;

void nested_paging_set_largest_page(uint64_t size)
{
    largest_page = size;
}

uint64_t nested_paging_count_tables(uint64_t size)
{
    return page_table_count(size, largest_page);
}

enum status nested_paging_map(const struct nested_format *format,
                              struct page_pool *tables, gpa_t guest, hpa_t host,
                              uint64_t size)
{
    struct page_table table = {.format       = &format->table,
                               .allocate     = page_pool_allocate,
                               .context      = tables,
                               .largest_page = largest_page,
                               .root         = hpa_of(tables->pages)};
    enum status status      = tables->used > 0 ? STATUS_OK : page_table_init(&table);

    return status != STATUS_OK
               ? status
               : page_table_map(&table, guest.value, host, size, format->leaf);
}
