/*
 * The state of a CPU's control registers while Hymir runs on it.
 *
 * The boot code sets CR0_INITIAL and CR4_INITIAL on every CPU, regardless of what
 * firmware left. SDM 3A, "Control Registers".
 */
#ifndef HYMIR_CPU_CONTROL_H
#define HYMIR_CPU_CONTROL_H

#include "x86/control_registers.h"

/*
 * Caches enabled, read-only pages enforced in ring 0 too (WP), and native x87 errors
 * (NE), which VMX requires and Multiboot does not guarantee.
 */
#define CR0_INITIAL (CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG)

/*
 * The boot CPU's CR4.VMXE is preserved: clearing it while other software is in VMX
 * operation raises #GP.
 */
#define CR4_INITIAL CR4_PAE

/*
 * Completes this CPU's state, if it has the features: enables #MC, so that a machine
 * check is handled instead of shutting the CPU down, and sets IA32_PAT, so that PWT
 * without PCD in a page-table entry selects write-combining. Call before mapping any page
 * with PWT.
 */
void control_init(void);

#endif
