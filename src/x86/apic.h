/*
 * The local APIC: IA32_APIC_BASE, and the registers of the xAPIC and x2APIC.
 *
 * SDM 3A, "Advanced Programmable Interrupt Controller (APIC)".
 */
#ifndef HYMIR_X86_APIC_H
#define HYMIR_X86_APIC_H

#include "lib/bits.h"

/* IA32_APIC_BASE: SDM 3A, "Local APIC Status and Location". */
#define APIC_BASE_BSP         BIT(8)
#define APIC_BASE_EXTD        BIT(10) /* x2APIC mode */
#define APIC_BASE_EN          BIT(11)
#define APIC_BASE_ADDRESS     BITS_MASK(51, 12)
#define APIC_BASE_AFTER_RESET UINT64_C(0xFEE00000)

/* SDM 3A, "Local APIC Register Address Map": offsets in memory. */
enum apic_register {
    APIC_ID                  = 0x20,
    APIC_VERSION             = 0x30,
    APIC_TASK_PRIORITY       = 0x80,
    APIC_EOI                 = 0xB0,
    APIC_SPURIOUS            = 0xF0,
    APIC_IN_SERVICE          = 0x100, /* the first of eight, with a bit for each vector */
    APIC_LVT_CMCI            = 0x2F0,
    APIC_INTERRUPT_COMMAND   = 0x300,
    APIC_INTERRUPT_COMMAND_H = 0x310, /* xAPIC only */
    APIC_LVT_TIMER           = 0x320,
    APIC_LVT_THERMAL         = 0x330,
    APIC_LVT_PERFORMANCE     = 0x340,
    APIC_LVT_LINT0           = 0x350,
    APIC_LVT_LINT1           = 0x360,
    APIC_LVT_ERROR           = 0x370,
    APIC_INITIAL_COUNT       = 0x380,
    APIC_CURRENT_COUNT       = 0x390,
    APIC_DIVIDE              = 0x3E0,
    APIC_EXTENDED_FEATURE    = 0x400, /* AMD */
    APIC_EXTENDED_LVT        = 0x500, /* AMD: the first of several */
};

/* SDM 3A, "Local APIC Version Register"; APM 2, "APIC Version Register". */
#define APIC_VERSION_MAX_LVT(value) ((uint32_t)BITS_GET(value, 23, 16))
#define APIC_VERSION_EXTENDED       BIT(31) /* AMD: has the registers from 400h on */

/* APM 2, "Extended APIC Feature Register". */
#define APIC_EXTENDED_LVT_COUNT(value) ((uint32_t)BITS_GET(value, 23, 16))
#define APIC_EXTENDED_LVT_MAX          4U
#define APIC_REGISTERS_SIZE            4096

/* SDM 3A, "x2APIC Register Address Space". */
#define X2APIC_MSR(offset) (0x800U + (uint32_t)(offset) / 16)

/* The largest ID of an xAPIC; 255 is the broadcast. */
#define XAPIC_MAX_ID 254

/* SDM 3A, "Spurious Interrupt". */
#define SPURIOUS_APIC_ENABLE BIT(8)

/* SDM 3A, "Interrupt Command Register (ICR)". */
#define ICR_FIXED   (0U << 8)
#define ICR_NMI     (4U << 8)
#define ICR_INIT    (5U << 8)
#define ICR_STARTUP (6U << 8)
#define ICR_PENDING (1U << 12)
#define ICR_ASSERT  (1U << 14)

/* SDM 3A, "Local Vector Table". */
#define LVT_VECTOR(value)   ((value)&0xFFU)
#define LVT_DELIVERY(value) ((value)&0x700U)
#define LVT_DELIVERY_SMI    0x200U
#define LVT_DELIVERY_NMI    0x400U
#define LVT_MASKED          (1U << 16)

/* SDM 3A, "APIC Timer". */
#define LVT_PERIODIC (1U << 17)
#define DIVIDE_BY_1  0xBU

#endif
