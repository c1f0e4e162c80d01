/*
 * The descriptor tables of a CPU: its own GDT and TSS, and the IDT that all CPUs share.
 *
 * SDM 3A, "Protected-Mode Memory Management", "Interrupt and Exception Handling", "Task
 * Management".
 */
#ifndef HYMIR_CPU_DESCRIPTORS_H
#define HYMIR_CPU_DESCRIPTORS_H

#include "cpu/percpu.h"
#include "x86/descriptors.h"

/*
 * Fills the GDT and TSS of *cpu, which are zero and whose stacks are set, and loads them,
 * the IDT and the GS base on the executing CPU. After this, exceptions are handled and
 * this_cpu is valid.
 */
void descriptors_load(struct cpu *cpu);

/* Returns the address of the IDT. */
uint64_t descriptors_idt_base(void);

#endif
