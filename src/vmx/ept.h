/*
 * Extended page tables, which map guest-physical memory: SDM 3C, "The Extended Page Table
 * Mechanism (EPT)".
 */
#ifndef HYMIR_VMX_EPT_H
#define HYMIR_VMX_EPT_H

#include "virt/nested_paging.h"
#include "vmx/capabilities.h"

/* Entries: SDM 3C, tables "Format of an EPT ... Entry". A leaf is write-back memory. */
#define EPT_READ    BIT(0)
#define EPT_WRITE   BIT(1)
#define EPT_EXECUTE BIT(2)
#define EPT_TABLE   (EPT_READ | EPT_WRITE | EPT_EXECUTE)
#define EPT_LEAF    (EPT_TABLE | (uint64_t)VMX_MEMORY_TYPE_WRITE_BACK << 3)

extern const struct nested_format ept_format;

/* The EPT pointer: SDM 3C, "Extended-Page-Table Pointer (EPTP)". */
#define EPTP_WRITE_BACK_4_LEVELS (VMX_MEMORY_TYPE_WRITE_BACK | UINT64_C(3) << 3)
#define EPTP_LEVELS_MASK         BITS_MASK(5, 3) /* the levels less 1 */
#define EPTP_LEVELS(eptp)        BITS_GET(eptp, 5, 3)
#define EPTP_ACCESSED            BIT(6)
#define EPTP_SHADOW_STACK        BIT(7)

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
