/*
 * The registers of an I/O APIC.
 *
 * Intel 82093AA data sheet, "Register Description"; newer I/O APICs only have more
 * inputs.
 */
#ifndef HYMIR_X86_IO_APIC_H
#define HYMIR_X86_IO_APIC_H

#include "lib/bits.h"

#define IO_APIC_REGISTERS_SIZE 32

/* Indexes of 32-bit words: the select register, and the window to what it selects. */
#define IO_APIC_SELECT 0
#define IO_APIC_WINDOW 4

#define IO_APIC_VERSION             1U
#define IO_APIC_VERSION_LAST(value) ((uint32_t)BITS_GET(value, 23, 16)) /* input */
#define IO_APIC_TABLE               0x10U /* two words for each input */

#define IO_APIC_LAST_MAX 119U /* the select register has eight bits */

/* The low word of an entry: fixed delivery, physical destination. */
#define IO_APIC_ENTRY_VECTOR(value)   ((value)&0xFFU)
#define IO_APIC_ENTRY_DELIVERY(value) ((value)&0x700U)
#define IO_APIC_DELIVERY_SMI          0x200U
#define IO_APIC_ENTRY_ACTIVE_LOW      (1U << 13)
#define IO_APIC_ENTRY_LEVEL           (1U << 15)
#define IO_APIC_ENTRY_MASKED          (1U << 16)
#define IO_APIC_LARGEST_APIC_ID       255U

#endif
