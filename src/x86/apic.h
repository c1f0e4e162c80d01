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
    APIC_ID                   = 0x20,
    APIC_VERSION              = 0x30,
    APIC_TASK_PRIORITY        = 0x80,
    APIC_ARBITRATION_PRIORITY = 0x90,
    APIC_PROCESSOR_PRIORITY   = 0xA0,
    APIC_EOI                  = 0xB0,
    APIC_REMOTE_READ          = 0xC0,
    APIC_LOGICAL_DESTINATION  = 0xD0,
    APIC_DESTINATION_FORMAT   = 0xE0, /* xAPIC only */
    APIC_SPURIOUS             = 0xF0,
    APIC_IN_SERVICE          = 0x100, /* the first of eight, with a bit for each vector */
    APIC_TRIGGER_MODE        = 0x180, /* of eight, as above */
    APIC_INTERRUPT_REQUEST   = 0x200, /* of eight, as above */
    APIC_ERROR_STATUS        = 0x280,
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
    APIC_SELF_IPI            = 0x3F0, /* x2APIC only */
    APIC_EXTENDED_FEATURE    = 0x400, /* AMD */
    APIC_EXTENDED_LVT        = 0x500, /* AMD: the first of several */
};

/* In memory, of two registers, of which the first 4 bytes are used. */
#define APIC_REGISTER_DISTANCE 16U
#define APIC_REGISTERS         64 /* the last one at 3F0H */

/* SDM 3A, "Local APIC Version Register"; APM 2, "APIC Version Register". */
#define APIC_VERSION_MAX_LVT(value) ((uint32_t)BITS_GET(value, 23, 16))
#define APIC_VERSION_EXTENDED       BIT(31) /* AMD: has the registers from 400h on */

/* APM 2, "Extended APIC Feature Register". */
#define APIC_EXTENDED_LVT_COUNT(value) ((uint32_t)BITS_GET(value, 23, 16))
#define APIC_EXTENDED_LVT_MAX          4U
#define APIC_REGISTERS_SIZE            4096

/* SDM 3A, "x2APIC Register Address Space". */
#define X2APIC_MSR(offset) (0x800U + (uint32_t)(offset) / 16)
#define X2APIC_MSR_LAST    0x8FFU

/* SDM 3A, "Local APIC ID Register", "Logical Destination Register". */
#define XAPIC_ID_SHIFT             24
#define XAPIC_ID_MASK              0xFF000000U
#define XAPIC_BROADCAST            0xFFU
#define X2APIC_BROADCAST           0xFFFFFFFFU
#define X2APIC_LOGICAL_ID(id)      (((id) >> 4) << 16 | 1U << ((id)&15U))
#define X2APIC_LOGICAL_CLUSTER(id) ((id) >> 16)
#define X2APIC_LOGICAL_MEMBERS(id) ((id)&0xFFFFU)
#define XAPIC_LOGICAL_CLUSTER(id)  ((id) >> 4 & 0xFU)
#define XAPIC_LOGICAL_MEMBERS(id)  ((id)&0xFU)
#define DESTINATION_FORMAT_FLAT    0xFFFFFFFFU
#define DESTINATION_FORMAT_DEFINED 0xF0000000U

/* SDM 3A, "Task and Processor Priorities". */
#define PRIORITY_CLASS_MASK  0xF0U
#define PRIORITY_CLASS_SHIFT 4

/* Vectors below it are illegal: SDM 3A, "Valid Interrupt Vectors". */
#define APIC_FIRST_VECTOR 16U

/* SDM 3A, "Error Handling". */
#define ESR_SEND_ILLEGAL_VECTOR    BIT(5)
#define ESR_RECEIVE_ILLEGAL_VECTOR BIT(6)
#define ESR_ILLEGAL_REGISTER       BIT(7)

/* The largest ID of an xAPIC; 255 is the broadcast. */
#define XAPIC_MAX_ID 254

/* SDM 3A, "Spurious Interrupt". */
#define SPURIOUS_VECTOR(value) ((value)&0xFFU)
#define SPURIOUS_APIC_ENABLE   BIT(8)
#define SPURIOUS_DEFINED       0x3FFU
#define SPURIOUS_AFTER_RESET   0xFFU

/* SDM 3A, "Interrupt Command Register (ICR)". */
#define ICR_VECTOR(value)         ((value)&0xFFU)
#define ICR_DELIVERY(value)       ((uint32_t)BITS_GET(value, 10, 8))
#define ICR_FIXED                 (0U << 8)
#define ICR_NMI                   (4U << 8)
#define ICR_INIT                  (5U << 8)
#define ICR_STARTUP               (6U << 8)
#define ICR_LOGICAL               (1U << 11)
#define ICR_PENDING               (1U << 12)
#define ICR_ASSERT                (1U << 14)
#define ICR_LEVEL                 (1U << 15)
#define ICR_SHORTHAND(value)      ((uint32_t)BITS_GET(value, 19, 18))
#define ICR_SHORTHAND_SELF        1U
#define ICR_SHORTHAND_ALL_BUT_ONE 3U /* all excluding self */
#define ICR_DEFINED               0xCDFFFU

/* SDM 3A, "Local Vector Table". */
#define LVT_VECTOR(value)   ((value)&0xFFU)
#define LVT_DELIVERY(value) ((value)&0x700U)
/* The least "Max LVT Entry" of an APIC with a thermal sensor's entry. */
#define LVT_THERMAL_LEAST_MAX 5U

#define LVT_DELIVERY_FIXED  0x000U
#define LVT_DELIVERY_SMI    0x200U
#define LVT_DELIVERY_NMI    0x400U
#define LVT_DELIVERY_INIT   0x500U
#define LVT_DELIVERY_EXTINT 0x700U
#define LVT_PENDING         (1U << 12)
#define LVT_REMOTE_IRR      (1U << 14)
#define LVT_LEVEL           (1U << 15)
#define LVT_MASKED          (1U << 16)
#define LVT_TIMER_DEFINED   0x710FFU
#define LVT_SENSOR_DEFINED  0x117FFU /* thermal sensor, performance counters */
#define LVT_PIN_DEFINED     0x1F7FFU /* LINT0 and LINT1 */
#define LVT_ERROR_DEFINED   0x110FFU

/* SDM 3A, "APIC Timer". */
#define LVT_PERIODIC     (1U << 17)
#define LVT_TIMER_MODE   (3U << 17)
#define LVT_TSC_DEADLINE (2U << 17)
#define DIVIDE_BY_1      0xBU
#define DIVIDE_DEFINED   0xBU
/* The divisor is this power of two. */
#define DIVIDE_SHIFT(value) ((((value)&3U) + ((value) >> 1 & 4U) + 1U) & 7U)

#endif
