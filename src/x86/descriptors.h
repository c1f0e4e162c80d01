/*
 * Segment descriptors, access rights and gates.
 *
 * SDM 3A, "Segment Descriptors", "64-Bit Mode IDT"; SDM 3C, "Guest Register State".
 */
#ifndef HYMIR_X86_DESCRIPTORS_H
#define HYMIR_X86_DESCRIPTORS_H

#include "lib/bits.h"

#define SELECTOR_RPL 3U
#define SELECTOR_TI  4U /* of the LDT */

/* Of GDTR and IDTR; their bases are 0: SDM 3A, "Processor State After Reset". */
#define DESCRIPTOR_TABLE_LIMIT_AFTER_RESET 0xFFFFU

#define DESCRIPTOR_ACCESSED  BIT(40)
#define DESCRIPTOR_WRITABLE  BIT(41) /* code: readable */
#define DESCRIPTOR_CODE      BIT(43)
#define DESCRIPTOR_CODE_DATA BIT(44)
#define DESCRIPTOR_PRESENT   BIT(47)
#define DESCRIPTOR_LONG_MODE BIT(53)
#define DESCRIPTOR_32_BIT    BIT(54)
#define DESCRIPTOR_4_GIB     (BIT(55) | BITS_MASK(51, 48) | BITS_MASK(15, 0))
#define DESCRIPTOR_TSS       (UINT64_C(9) << 40) /* type: 64-bit TSS (available) */

/* Segments of 64-bit mode, which ignores base and limit, and flat 32-bit ones. */
#define DATA_DESCRIPTOR                                                \
    (DESCRIPTOR_PRESENT | DESCRIPTOR_CODE_DATA | DESCRIPTOR_ACCESSED | \
     DESCRIPTOR_WRITABLE)
#define CODE_DESCRIPTOR      (DATA_DESCRIPTOR | DESCRIPTOR_CODE | DESCRIPTOR_LONG_MODE)
#define CODE_DESCRIPTOR_FLAT (CODE_DESCRIPTOR | DESCRIPTOR_4_GIB)
#define DATA_DESCRIPTOR_32   (DATA_DESCRIPTOR | DESCRIPTOR_32_BIT | DESCRIPTOR_4_GIB)
#define CODE_DESCRIPTOR_32   (DATA_DESCRIPTOR_32 | DESCRIPTOR_CODE)

/* Of real-address mode: SDM 3A, "Processor State After Reset". */
#define CODE_DESCRIPTOR_8086 (DATA_DESCRIPTOR | DESCRIPTOR_CODE)
#define SEGMENT_LIMIT_8086   0xFFFFU

/* The access rights in a descriptor, and those that only VMX has. */
#define ACCESS_RIGHTS_OF(descriptor) \
    ((uint32_t)BITS_GET(descriptor, 55, 40) & ~(uint32_t)BITS_MASK(11, 8))
#define ACCESS_RIGHTS_CODE_64  ACCESS_RIGHTS_OF(CODE_DESCRIPTOR_FLAT)
#define ACCESS_RIGHTS_TSS_BUSY (ACCESS_RIGHTS_OF(DESCRIPTOR_PRESENT) | 11U)
#define ACCESS_RIGHTS_UNUSABLE ((uint32_t)BIT(16))
#define ACCESS_RIGHTS_RESERVED (BITS_MASK(31, 17) | BITS_MASK(11, 8))
#define ACCESS_RIGHTS_V8086    0xF3U   /* of each segment in virtual-8086 mode */
#define CODE_SEGMENT_L         BIT(13) /* 64-bit code */
#define SEGMENT_BIG            BIT(14) /* D or B: 32-bit code or stack */
#define SEGMENT_G              BIT(15) /* granularity of the limit: 4 KiB */
#define SEGMENT_TYPE           BITS_MASK(3, 0)
#define SEGMENT_S              BIT(4) /* a code or data segment */
#define SEGMENT_DPL            BITS_MASK(6, 5)
#define SEGMENT_PRESENT        0x80U
#define TASK_LIMIT_AFTER_START 0x67U /* of the smallest TSS: SDM 3C, checks on TR */
#define TSS_16_BIT_BUSY        3U    /* a type: bits 3:0 */
#define TYPE_TSS_BUSY          11U
#define TYPE_LDT               2U

/* Bits of the type of a code or data segment, and types. */
#define TYPE_ACCESSED               BIT(0)
#define TYPE_READABLE               BIT(1) /* code; data: writable */
#define TYPE_CONFORMING             BIT(2) /* code; data: expand-down */
#define TYPE_CODE                   BIT(3)
#define TYPE_CODE_ACCESSED          (TYPE_CODE | TYPE_ACCESSED)
#define TYPE_DATA_WRITABLE_ACCESSED (TYPE_READABLE | TYPE_ACCESSED)

/* The type of a gate: present, DPL 0, 64-bit interrupt gate. */
#define GATE_PRESENT_INTERRUPT (UINT64_C(0x8E) << 40)

#endif
