/* See nested_paging.h. */
#include "virt/nested_paging.h"

static uint64_t largest_page = PAGE_SIZE;
static bool is_code_in_small_pages;

void nested_paging_choose_pages(uint64_t largest, bool splits_code)
{
    is_code_in_small_pages = splits_code && largest > PAGE_SIZE;
    largest_page           = is_code_in_small_pages ? PAGE_SIZE_2_MIB : largest;
}

/* Enough to split all memory. */
uint64_t nested_paging_count_tables(uint64_t size)
{
    return page_table_count(size, is_code_in_small_pages ? PAGE_SIZE : largest_page);
}

uint64_t nested_paging_alignment(gpa_t guest, uint64_t size)
{
    bool has_1_gib = largest_page == PAGE_SIZE_1_GIB && size >= PAGE_SIZE_1_GIB &&
                     is_aligned(guest.value, PAGE_SIZE_1_GIB);

    return has_1_gib ? PAGE_SIZE_1_GIB : PAGE_SIZE_2_MIB;
}

static struct page_table table_of(const struct nested_format *format,
                                  struct page_pool *tables, uint64_t largest)
{
    return (struct page_table){.format       = &format->table,
                               .allocate     = page_pool_allocate,
                               .context      = tables,
                               .largest_page = largest,
                               .root         = hpa_of(tables->pages)};
}

/* What cannot be split, because it has a part of 2 MiB, has only small pages. */
enum status nested_paging_map(const struct nested_format *format,
                              struct page_pool *tables, gpa_t guest, hpa_t host,
                              uint64_t size)
{
    bool can_split = format->execute != 0 &&
                     is_aligned(guest.value | host.value | size, PAGE_SIZE_2_MIB);
    bool is_small       = is_code_in_small_pages && !can_split;
    uint64_t attributes = is_code_in_small_pages && can_split
                              ? format->leaf & ~format->execute
                              : format->leaf;
    struct page_table table =
        table_of(format, tables, is_small ? PAGE_SIZE : largest_page);
    enum status status = tables->used > 0 ? STATUS_OK : page_table_init(&table);

    return status != STATUS_OK
               ? status
               : page_table_map(&table, guest.value, host, size, attributes);
}

enum status nested_paging_allow_execution(const struct nested_format *format,
                                          struct page_pool *tables, gpa_t guest)
{
    struct page_table table = table_of(format, tables, PAGE_SIZE);

    return page_table_split(&table, guest.value, format->leaf);
}
