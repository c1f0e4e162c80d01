/*
 * Four-level page tables: the walk that IA-32e paging and EPT share.
 *
 * SDM 3A, "4-Level Paging and 5-Level Paging"; SDM 3C, "The Extended Page Table Mechanism
 * (EPT)". Both have four levels of 512 entries, the address in bits 51:12 and, for a leaf
 * above the lowest level, bit 7; what differs is in struct page_table_format. Tables are
 * pages that the caller's function allocates, reached at their physical address. Not
 * locked. TLBs are the caller's business.
 */
#ifndef HYMIR_MM_PAGE_TABLE_H
#define HYMIR_MM_PAGE_TABLE_H

#include "lib/bits.h"
#include "lib/status.h"
#include "mm/address.h"

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SIZE_2_MIB BIT(21)
#define PAGE_SIZE_1_GIB BIT(30)

/*
 * The end of the addresses that four levels translate, half of them for IA-32e's lower
 * half.
 */
#define PAGE_TABLE_LIMIT BIT(48)

/* Bits 51:12 of an entry: the address of the next table or of the page. */
#define PAGE_TABLE_ADDRESS_MASK (BITS_GET(UINT64_MAX, 51, 12) << 12)

/*
 * Bit 7 of an entry above the lowest level: it maps a page instead of pointing to a
 * table.
 */
#define PAGE_TABLE_LARGE BIT(7)

struct page_table_format {
    uint64_t present; /* an entry is in use if it has one of these bits */
    uint64_t table;   /* the bits of an entry that points to another table */
};

/* Allocates one zeroed page for a table. STATUS_NO_MEMORY. */
typedef enum status page_table_allocate(void **page);

struct page_table {
    const struct page_table_format *format;
    page_table_allocate *allocate;
    uint64_t largest_page; /* PAGE_SIZE, PAGE_SIZE_2_MIB or PAGE_SIZE_1_GIB */
    hpa_t root;
    uint64_t table_count; /* pages in use, with the root */
};

/* What a lookup finds. */
struct page_mapping {
    hpa_t physical;      /* where the byte that was asked for lies */
    uint64_t attributes; /* the entry's bits but for the address and PAGE_TABLE_LARGE */
    uint64_t page_size;  /* of the page it lies in, in bytes */
};

/* Makes an empty table out of the other members of *table. STATUS_NO_MEMORY. */
enum status MUST_CHECK page_table_init(struct page_table *table);

/*
 * Maps size bytes of physical memory at virtual (for EPT, the guest-physical address)
 * with the entry bits attributes, in the largest pages that fit; what was mapped there
 * before is replaced, a larger page split. Attributes without a present bit unmap. The
 * addresses and size are multiples of PAGE_SIZE and stay below PAGE_TABLE_LIMIT, else
 * STATUS_OUT_OF_RANGE and nothing is changed. On STATUS_NO_MEMORY a part from virtual
 * upward may be mapped; the rest is as it was.
 */
enum status MUST_CHECK page_table_map(struct page_table *table, uint64_t virtual,
                                      hpa_t physical, uint64_t size, uint64_t attributes);

/* Finds what virtual is mapped to. STATUS_NOT_FOUND. */
enum status MUST_CHECK page_table_lookup(const struct page_table *table, uint64_t virtual,
                                         struct page_mapping *mapping);

#endif
