/* See nested_paging.h. */
#include "virt/nested_paging.h"

static uint64_t largest_page = PAGE_SIZE;
static bool splits_for_execution;

void nested_paging_set_largest_page(uint64_t size, bool executes_small_pages)
{
    largest_page         = size;
    splits_for_execution = executes_small_pages;
}

/* Enough to split all memory. */
uint64_t nested_paging_count_tables(uint64_t size)
{
    return page_table_count(size, splits_for_execution ? PAGE_SIZE : largest_page);
}

/* Returns the attributes with which to map a range. */
static uint64_t choose_attributes(const struct nested_format *format, gpa_t guest,
                                  hpa_t host, uint64_t size)
{
    bool is_large = is_aligned(guest.value | host.value | size, PAGE_SIZE_2_MIB);

    return splits_for_execution && is_large ? format->leaf & ~format->execute
                                            : format->leaf;
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
               : page_table_map(&table, guest.value, host, size,
                                choose_attributes(format, guest, host, size));
}

/*
 * Another vCPU's TLB may keep the large page, which translates to the same addresses: it
 * then exits once more.
 */
bool nested_paging_make_executable(const struct nested_format *format,
                                   struct page_pool *tables, gpa_t guest)
{
    struct page_table table = {.format       = &format->table,
                               .allocate     = page_pool_allocate,
                               .context      = tables,
                               .largest_page = PAGE_SIZE,
                               .root         = hpa_of(tables->pages)};
    uint64_t offset         = guest.value % PAGE_SIZE_2_MIB;
    struct page_mapping mapping;

    if (page_table_lookup(&table, guest.value, &mapping) != STATUS_OK)
        return false;
    if ((mapping.attributes & format->execute) == format->execute)
        return true;
    return page_table_map(&table, guest.value - offset,
                          hpa(mapping.physical.value - offset), PAGE_SIZE_2_MIB,
                          format->leaf) == STATUS_OK;
}
