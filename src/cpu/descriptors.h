/*
 * The descriptor tables of a CPU: GDT and TSS of its own, the one IDT of all.
 *
 * SDM 3A, "Protected-Mode Memory Management", "Interrupt and Exception Handling", "Task
 * Management".
 */
#ifndef HYMIR_CPU_DESCRIPTORS_H
#define HYMIR_CPU_DESCRIPTORS_H

#include "cpu/percpu.h"
#include "x86/descriptors.h"

/*
 * Makes GDT and TSS of *cpu, whose stacks are set, and loads them with the IDT and the GS
 * base on the CPU that executes this. From here on an exception is caught, and this_cpu
 * works.
 */
void descriptors_load(struct cpu *cpu);

/* The address of the IDT that all CPUs share. */
uint64_t descriptors_idt_base(void);

#endif
