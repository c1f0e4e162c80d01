/*
 * Entries of paging structures, page-fault error codes, and memory types.
 *
 * SDM 3A, "Paging", "Page Attribute Table (PAT)". The bits are the same in 32-bit, PAE
 * and 4-level paging, except that entries of 32-bit paging end at bit 31.
 */
#ifndef HYMIR_X86_PAGING_H
#define HYMIR_X86_PAGING_H

#include "lib/bits.h"

/* SDM 3A, "4-Level Paging and 5-Level Paging", tables of the formats of entries. */
#define PAGE_ENTRY_PRESENT         BIT(0)
#define PAGE_ENTRY_WRITABLE        BIT(1)
#define PAGE_ENTRY_USER            BIT(2)
#define PAGE_ENTRY_WRITE_THROUGH   BIT(3)
#define PAGE_ENTRY_CACHE_DISABLE   BIT(4)
#define PAGE_ENTRY_ACCESSED        BIT(5)
#define PAGE_ENTRY_DIRTY           BIT(6)
#define PAGE_ENTRY_PAGE_SIZE       BIT(7) /* above level 1: maps a page */
#define PAGE_ENTRY_ADDRESS         BITS_MASK(51, 12)
#define PAGE_ENTRY_KEY(entry)      ((unsigned int)BITS_GET(entry, 62, 59))
#define PAGE_ENTRY_EXECUTE_DISABLE BIT(63)

/* SDM 3A, "32-Bit Paging": bits 39:32 of the address of a page of 4 MiB. */
#define PSE_36_WIDTH          40U
#define PSE_36_ADDRESS(entry) BITS_GET(entry, 20, 13)

/* SDM 3A, "Enumeration of Paging Features by CPUID": MAXPHYADDR; without the leaf, 36. */
#define PHYSICAL_WIDTH_MIN     32U
#define PHYSICAL_WIDTH_DEFAULT 36U
#define PHYSICAL_WIDTH_MAX     52U

/* SDM 3A, "PAE Paging": the table that CR3 points to has four entries. */
#define CR3_ADDRESS        BITS_MASK(51, 12)
#define CR3_ADDRESS_32_BIT BITS_MASK(31, 12)
#define CR3_PCID           BITS_MASK(11, 0) /* if CR4.PCIDE is set */
#define CR3_ADDRESS_PAE    BITS_MASK(31, 5)
#define PDPTE_COUNT        4U

/* SDM 3A, "Protection Keys": the rights in PKRU, shifted to key 0. */
#define PKRU_ACCESS_DISABLE BIT(0)
#define PKRU_WRITE_DISABLE  BIT(1)

/* SDM 3A, "Page-Fault Exceptions". */
#define PAGE_FAULT_PRESENT  BIT(0)
#define PAGE_FAULT_WRITE    BIT(1)
#define PAGE_FAULT_USER     BIT(2)
#define PAGE_FAULT_RESERVED BIT(3)
#define PAGE_FAULT_KEY      BIT(5)

/* SDM 3A, "Page Attribute Table (PAT)": memory types, and the entries of IA32_PAT. */
#define PAT_UNCACHEABLE     UINT64_C(0)
#define PAT_WRITE_COMBINING UINT64_C(1)
#define PAT_WRITE_THROUGH   UINT64_C(4)
#define PAT_WRITE_PROTECTED UINT64_C(5)
#define PAT_WRITE_BACK      UINT64_C(6)
#define PAT_UNCACHED        UINT64_C(7) /* UC-: MTRRs may make it write-combining */

/* IA32_PAT after reset, except for the type that PWT alone selects. */
#define PAT_ENTRY(index, type) ((type) << (8 * (index)))
#define PAT_WITH_PWT(type)                                                            \
    (PAT_ENTRY(0, PAT_WRITE_BACK) | PAT_ENTRY(1, type) | PAT_ENTRY(2, PAT_UNCACHED) | \
     PAT_ENTRY(3, PAT_UNCACHEABLE) | PAT_ENTRY(4, PAT_WRITE_BACK) |                   \
     PAT_ENTRY(5, PAT_WRITE_THROUGH) | PAT_ENTRY(6, PAT_UNCACHED) |                   \
     PAT_ENTRY(7, PAT_UNCACHEABLE))
#define PAT_AFTER_RESET PAT_WITH_PWT(PAT_WRITE_THROUGH)

/* Returns whether IA32_PAT accepts a value: each byte is a memory type. */
static inline bool pat_is_valid(uint64_t value)
{
    const uint32_t types = 1U << PAT_UNCACHEABLE | 1U << PAT_WRITE_COMBINING |
                           1U << PAT_WRITE_THROUGH | 1U << PAT_WRITE_PROTECTED |
                           1U << PAT_WRITE_BACK | 1U << PAT_UNCACHED;

    for (; value != 0; value >>= 8) {
        if ((value & 0xFF) > PAT_UNCACHED || (types >> (value & 0xFF) & 1) == 0)
            return false;
    }
    return true;
}

#endif
