/*
 * The state of a CPU while Hymir runs on it: its control registers, its own GDT and TSS,
 * and the IDT that all CPUs share.
 *
 * The boot code sets CR0_INITIAL and CR4_INITIAL on every CPU, regardless of what
 * firmware left. SDM 3A, "Control Registers", "Protected-Mode Memory Management",
 * "Interrupt and Exception Handling", "Task Management".
 */
#ifndef HYMIR_CPU_SETUP_H
#define HYMIR_CPU_SETUP_H

#include "cpu/percpu.h"
#include "x86/control_registers.h"
#include "x86/descriptors.h"

/*
 * Caches enabled, read-only pages enforced in ring 0 too (WP), and native x87 errors
 * (NE), which VMX requires and Multiboot does not guarantee.
 */
#define CR0_INITIAL (CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG)

/*
 * The boot CPU's CR4.VMXE is preserved until exceptions are handled: clearing it in VMX
 * operation raises #GP.
 */
#define CR4_INITIAL CR4_PAE

/*
 * Fills the GDT and TSS of *cpu, which are zero and whose stacks are set, and loads them,
 * the IDT and the GS base on the executing CPU. After this, exceptions are handled and
 * this_cpu is valid. What other software left is cleared: cpu/inherited_state.h.
 *
 * If the CPU has the features, also enables #MC, so that a machine check is handled
 * instead of shutting the CPU down, sets SMEP, SMAP and UMIP, and sets IA32_PAT, so that
 * PWT without PCD in a page-table entry selects write-combining. Call before mapping any
 * page with PWT.
 */
void cpu_setup(struct cpu *cpu);

/* Returns the address of the IDT. */
uint64_t cpu_idt_base(void);

#endif
