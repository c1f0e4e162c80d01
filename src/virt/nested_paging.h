/*
 * The tables that map guest-physical memory: EPT on VT-x, nested paging on AMD-V.
 *
 * Only a guest's own RAM is mapped, as write-back memory. mm/page_table.h walks the
 * tables; the caller supplies their pages.
 */
#ifndef HYMIR_VIRT_NESTED_PAGING_H
#define HYMIR_VIRT_NESTED_PAGING_H

#include "mm/page_table.h"

/* A processor's format of the tables. */
struct nested_format {
    struct page_table_format table;
    uint64_t leaf; /* the attributes of mapped memory: readable, writable, executable */
};

/*
 * Sets the size of the largest pages in all tables on the machine: PAGE_SIZE, as before
 * this call, PAGE_SIZE_2_MIB or PAGE_SIZE_1_GIB.
 */
void nested_paging_set_largest_page(uint64_t size);

/*
 * Returns how many pages the function below needs for a guest with size bytes of memory,
 * if all addresses and sizes are multiples of 2 MiB.
 */
uint64_t nested_paging_count_tables(uint64_t size);

/*
 * Maps memory at a guest-physical address with tables of the pool, whose first page is
 * the root. Multiples of PAGE_SIZE. STATUS_NO_MEMORY, STATUS_OUT_OF_RANGE.
 */
enum status MUST_CHECK nested_paging_map(const struct nested_format *format,
                                         struct page_pool *tables, gpa_t guest,
                                         hpa_t host, uint64_t size);

#endif
