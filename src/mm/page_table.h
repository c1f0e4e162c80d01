/*
 * Four-level page tables for 4-level paging and EPT.
 *
 * SDM 3A, "4-Level Paging and 5-Level Paging"; SDM 3C, "The Extended Page Table Mechanism
 * (EPT)". Both have four levels of 512 entries, the address in bits 51:12 and, for a leaf
 * above the lowest level, bit 7; struct page_table_format has the differences. The
 * caller's function allocates tables, which must be identity-mapped. No lock; the caller
 * invalidates TLBs.
 */
#ifndef HYMIR_MM_PAGE_TABLE_H
#define HYMIR_MM_PAGE_TABLE_H

#include "lib/bits.h"
#include "lib/status.h"
#include "mm/address.h"

#include <stdint.h>

#define PAGE_SIZE_2_MIB BIT(21)
#define PAGE_SIZE_1_GIB BIT(30)

/* The end of the addresses that four levels translate; twice the lower canonical half. */
#define PAGE_TABLE_LIMIT BIT(48)

struct page_table_format {
    uint64_t present; /* an entry is present if any of these bits is set */
    uint64_t table;   /* the attributes of an entry that points to a table */
};

/* Allocates one zeroed page for a table. STATUS_NO_MEMORY. */
typedef enum status page_table_allocate(void *context, void **page);

struct page_table {
    const struct page_table_format *format;
    page_table_allocate *allocate;
    void *context;         /* for allocate */
    uint64_t largest_page; /* PAGE_SIZE, PAGE_SIZE_2_MIB or PAGE_SIZE_1_GIB */
    hpa_t root;
    uint64_t table_count; /* allocated tables, including the root */
};

/* Zeroed pages for the tables of one address space, freed together. */
struct page_pool {
    void *pages;
    uint64_t count; /* of pages */
    uint64_t used;  /* the first ones */
};

/* A page_table_allocate whose context is a pool. */
enum status MUST_CHECK page_pool_allocate(void *context, void **page);

/* The result of a lookup. */
struct page_mapping {
    hpa_t physical;      /* of the byte looked up */
    uint64_t attributes; /* the entry without the address and PAGE_ENTRY_PAGE_SIZE */
    uint64_t page_size;  /* in bytes */
};

/* Allocates an empty root; the caller sets the other members first. STATUS_NO_MEMORY. */
enum status MUST_CHECK page_table_init(struct page_table *table);

/*
 * Maps size bytes of physical memory at virtual (for EPT, a guest-physical address) with
 * attributes, using the largest pages that fit. Replaces existing mappings, splitting
 * larger pages; attributes without a present bit unmap. STATUS_OUT_OF_RANGE, changing
 * nothing, unless addresses and size are multiples of PAGE_SIZE and the range ends at or
 * below PAGE_TABLE_LIMIT. On STATUS_NO_MEMORY, the start of the range may be mapped.
 */
enum status MUST_CHECK page_table_map(struct page_table *table, uint64_t virtual,
                                      hpa_t physical, uint64_t size, uint64_t attributes);

/*
 * Replaces the large page at virtual by pages of the next smaller size with attributes,
 * unless it is split. Processors may use the table meanwhile. STATUS_NOT_FOUND if nothing
 * is mapped there, STATUS_NO_MEMORY.
 */
enum status MUST_CHECK page_table_split(struct page_table *table, uint64_t virtual,
                                        uint64_t attributes);

/*
 * Returns how many tables map size bytes at 0 with pages of up to largest_page bytes, if
 * all addresses and sizes are multiples of 2 MiB.
 */
uint64_t page_table_count(uint64_t size, uint64_t largest_page);

/* Looks up the mapping of a virtual address. STATUS_NOT_FOUND. */
enum status MUST_CHECK page_table_lookup(const struct page_table *table, uint64_t virtual,
                                         struct page_mapping *mapping);

#endif
