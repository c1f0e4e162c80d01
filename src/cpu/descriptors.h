/*
 * The descriptor tables of a CPU: its own GDT and TSS, and the IDT that all CPUs share.
 *
 * SDM 3A, "Protected-Mode Memory Management", "Interrupt and Exception Handling", "Task
 * Management".
 */
#ifndef HYMIR_CPU_DESCRIPTORS_H
#define HYMIR_CPU_DESCRIPTORS_H

#include "cpu/percpu.h"

/* Bits of a segment descriptor: SDM 3A, "Segment Descriptors". */
#define DESCRIPTOR_ACCESSED  BIT(40)
#define DESCRIPTOR_WRITABLE  BIT(41)
#define DESCRIPTOR_CODE      BIT(43)
#define DESCRIPTOR_CODE_DATA BIT(44)
#define DESCRIPTOR_PRESENT   BIT(47)
#define DESCRIPTOR_LONG_MODE BIT(53)
#define DESCRIPTOR_32_BIT    BIT(54)
#define DESCRIPTOR_4_GIB     (BIT(55) | UINT64_C(0xF) << 48 | UINT64_C(0xFFFF))
#define DESCRIPTOR_TSS       (UINT64_C(9) << 40) /* type: 64-bit TSS (available) */

/* Hymir's segments, and the flat ones of the 32-bit boot code. */
#define DATA_DESCRIPTOR                                                \
    (DESCRIPTOR_PRESENT | DESCRIPTOR_CODE_DATA | DESCRIPTOR_ACCESSED | \
     DESCRIPTOR_WRITABLE)
#define CODE_DESCRIPTOR    (DATA_DESCRIPTOR | DESCRIPTOR_CODE | DESCRIPTOR_LONG_MODE)
#define DATA_DESCRIPTOR_32 (DATA_DESCRIPTOR | DESCRIPTOR_32_BIT | DESCRIPTOR_4_GIB)
#define CODE_DESCRIPTOR_32 (DATA_DESCRIPTOR_32 | DESCRIPTOR_CODE)

/*
 * Fills the GDT and TSS of *cpu, whose stacks are set, and loads them, the IDT and the GS
 * base on the executing CPU. After this, exceptions are handled and this_cpu is valid.
 */
void descriptors_load(struct cpu *cpu);

/* Returns the address of the IDT. */
uint64_t descriptors_idt_base(void);

#endif
