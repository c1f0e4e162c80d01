/*
 * The tables that map guest-physical memory: EPT on VT-x, nested paging on AMD-V.
 *
 * Only a guest's own RAM is mapped, as write-back memory. mm/page_table.h walks the
 * tables; the caller supplies their pages.
 */
#ifndef HYMIR_VIRT_NESTED_PAGING_H
#define HYMIR_VIRT_NESTED_PAGING_H

#include "mm/page_table.h"

#include <stdbool.h>

/* A processor's format of the tables. */
struct nested_format {
    struct page_table_format table;
    uint64_t leaf; /* the attributes of mapped memory: readable, writable, executable */
    uint64_t execute; /* the one that permits execution; 0: large pages are not split */
};

/*
 * Selects the pages of all tables on the machine: the size of the largest ones, which is
 * PAGE_SIZE before this call, PAGE_SIZE_2_MIB or PAGE_SIZE_1_GIB. With splits_code, code
 * is executed only in pages of PAGE_SIZE: pages of 2 MiB, then the largest, are not
 * executable until nested_paging_allow_execution splits them.
 */
void nested_paging_choose_pages(uint64_t largest, bool splits_code);

/*
 * Returns how many pages the functions below need for a guest with size bytes of memory,
 * if all addresses and sizes are multiples of 2 MiB.
 */
uint64_t nested_paging_count_tables(uint64_t size);

/*
 * Returns the alignment of the machine's memory, in bytes, with which the largest pages
 * map size bytes at a guest-physical address.
 */
uint64_t nested_paging_alignment(gpa_t guest, uint64_t size);

/*
 * Maps memory at a guest-physical address with tables of the pool, whose first page is
 * the root. Multiples of PAGE_SIZE. STATUS_NO_MEMORY, STATUS_OUT_OF_RANGE.
 */
enum status MUST_CHECK nested_paging_map(const struct nested_format *format,
                                         struct page_pool *tables, gpa_t guest,
                                         hpa_t host, uint64_t size);

/*
 * Makes the memory at a guest-physical address executable, whose execution the processor
 * has refused: splits the page of 2 MiB there, unless that is done. vCPUs may use the
 * tables meanwhile, and their TLBs may keep the large page until the caller invalidates
 * it; it maps the same memory. One call at a time. STATUS_NOT_FOUND if nothing is mapped
 * there, STATUS_NO_MEMORY.
 */
enum status MUST_CHECK nested_paging_allow_execution(const struct nested_format *format,
                                                     struct page_pool *tables,
                                                     gpa_t guest);

#endif
