/*
 * The registers of an I/O APIC.
 *
 * Intel 82093AA data sheet, "Register Description"; newer I/O APICs only have more
 * inputs. The EOI register, from version 20H on: Intel I/O Controller Hub 9 (ICH9) data
 * sheet, "EOI Register".
 */
#ifndef HYMIR_X86_IO_APIC_H
#define HYMIR_X86_IO_APIC_H

#include "lib/bits.h"

#define IO_APIC_REGISTERS_SIZE 32
#define IO_APIC_ADDRESS        UINT64_C(0xFEC00000) /* of a PC's first I/O APIC */
#define IO_APIC_PAGE_SIZE      0x1000U

/* Indexes of 32-bit words: the select register, and the window to what it selects. */
#define IO_APIC_SELECT 0
#define IO_APIC_WINDOW 4
#define IO_APIC_EOI    16

#define IO_APIC_ID                  0U
#define IO_APIC_ID_SHIFT            24
#define IO_APIC_ID_MASK             0x0FU
#define IO_APIC_VERSION             1U
#define IO_APIC_VERSION_WITH_EOI    0x20U
#define IO_APIC_VERSION_LAST_SHIFT  16
#define IO_APIC_VERSION_LAST(value) ((uint32_t)BITS_GET(value, 23, 16)) /* input */
#define IO_APIC_ARBITRATION         2U
#define IO_APIC_TABLE               0x10U /* two words for each input */

#define IO_APIC_LAST_MAX 119U /* the select register has eight bits */

/* The low word of an entry: fixed delivery, physical destination. */
#define IO_APIC_ENTRY_VECTOR(value)   ((value)&0xFFU)
#define IO_APIC_ENTRY_DELIVERY(value) ((value)&0x700U)
#define IO_APIC_DELIVERY_SMI          0x200U
#define IO_APIC_DELIVERY_SHIFT        8
#define IO_APIC_ENTRY_LOGICAL         (1U << 11) /* destination */
#define IO_APIC_ENTRY_ACTIVE_LOW      (1U << 13)
#define IO_APIC_ENTRY_REMOTE_IRR      (1U << 14)
#define IO_APIC_ENTRY_LEVEL           (1U << 15)
#define IO_APIC_ENTRY_MASKED          (1U << 16)
#define IO_APIC_DESTINATION_SHIFT     24 /* in the high word */
#define IO_APIC_LARGEST_APIC_ID       255U

#endif
