/*
 * Extended page tables, which map guest-physical memory.
 *
 * SDM 3C, "The Extended Page Table Mechanism (EPT)". mm/page_table.h walks them; the
 * caller supplies the pages for tables. Only a guest's own RAM is mapped, as write-back.
 */
#ifndef HYMIR_VMX_EPT_H
#define HYMIR_VMX_EPT_H

#include "lib/status.h"
#include "mm/page_table.h"
#include "vmx/capabilities.h"

/* Entries: SDM 3C, tables "Format of an EPT ... Entry". A leaf is write-back memory. */
#define EPT_READ    BIT(0)
#define EPT_WRITE   BIT(1)
#define EPT_EXECUTE BIT(2)
#define EPT_TABLE   (EPT_READ | EPT_WRITE | EPT_EXECUTE)
#define EPT_LEAF    (EPT_TABLE | (uint64_t)VMX_MEMORY_TYPE_WRITE_BACK << 3)

/* The EPT pointer: SDM 3C, "Extended-Page-Table Pointer (EPTP)". */
#define EPTP_WRITE_BACK_4_LEVELS (VMX_MEMORY_TYPE_WRITE_BACK | UINT64_C(3) << 3)
#define EPTP_ACCESSED            BIT(6)

/*
 * Sets the largest page size for all EPT on the machine, 4 KiB before this call: the
 * largest that the processor supports, or 4 KiB if it may have the iTLB multihit erratum,
 * which lets a guest that executes from a large page and changes it stop the machine.
 */
void ept_choose_page_size(const struct vmx_capabilities *capabilities,
                          bool may_have_multihit);

/*
 * Returns how many tables map size bytes, below 512 GiB, at guest-physical 0, if all
 * addresses and sizes are multiples of 2 MiB.
 */
uint64_t ept_count_tables(uint64_t size);

/*
 * Maps size bytes of host memory at a guest-physical address, readable, writable and
 * executable. *root is 0 at first, and the address of the top-level table afterwards.
 * Multiples of PAGE_SIZE. STATUS_NO_MEMORY, STATUS_OUT_OF_RANGE.
 */
enum status MUST_CHECK ept_map(hpa_t *root, struct page_pool *tables, gpa_t guest,
                               hpa_t host, uint64_t size);

/* Returns the EPT pointer, with accessed and dirty flags if the processor has them. */
uint64_t ept_pointer(const struct vmx_capabilities *capabilities, hpa_t root);

/*
 * Removes all translations derived from EPT from the TLB of this CPU, in VMX root
 * operation. Returns false if INVEPT fails, which is logged.
 */
bool ept_invalidate(const struct vmx_capabilities *capabilities);

/* The same for all translations of guests, including those tagged with a VPID. */
void ept_invalidate_translations(const struct vmx_capabilities *capabilities);

#endif
