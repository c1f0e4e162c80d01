/*
 * Extended page tables: what guest-physical memory is.
 *
 * SDM 3C, "The Extended Page Table Mechanism (EPT)". The walk is mm/page_table.h's. Only
 * a guest's own RAM is ever mapped, write-back. Tables are pages of mm/memory.h.
 */
#ifndef HYMIR_VMX_EPT_H
#define HYMIR_VMX_EPT_H

#include "lib/status.h"
#include "mm/address.h"
#include "vmx/capabilities.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Chooses the largest page for all EPT on the machine: what the processor has, or 4 KiB
 * if it may have the iTLB multihit erratum, by which a guest that executes from a large
 * page and changes it can stop the machine. Before this call, 4 KiB.
 */
void ept_choose_page_size(const struct vmx_capabilities *capabilities,
                          bool may_have_multihit);

/*
 * Maps size bytes of host memory at a guest-physical address, for reading, writing and
 * executing. *root is 0 at first, and the address of the first table from then on.
 * Multiples of PAGE_SIZE. STATUS_NO_MEMORY, STATUS_OUT_OF_RANGE.
 */
enum status MUST_CHECK ept_map(hpa_t *root, gpa_t guest, hpa_t host, uint64_t size);

/* The EPT pointer for tables, with accessed and dirty flags if the processor has them. */
uint64_t ept_pointer(const struct vmx_capabilities *capabilities, hpa_t root);

#endif
