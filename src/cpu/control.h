/*
 * The state of a CPU's control registers while Hymir runs on it.
 *
 * The boot code brings every CPU to CR0_INITIAL and CR4_INITIAL, whatever firmware left,
 * so that all CPUs are alike. SDM 3A, "Control Registers".
 */
#ifndef HYMIR_CPU_CONTROL_H
#define HYMIR_CPU_CONTROL_H

#include "x86/control_registers.h"

/*
 * Caches on, read-only pages read-only for ring 0 too (WP), and native x87 errors, which
 * VMX wants (NE) and Multiboot does not promise.
 */
#define CR0_INITIAL (CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG)

/*
 * CR4.VMXE is kept as it was found on the boot CPU: to clear it under somebody else's VMX
 * faults.
 */
#define CR4_INITIAL CR4_PAE

/*
 * Completes this CPU's state, if it has the features: machine checks come through as #MC,
 * which is handled, instead of a shutdown; and of the memory types that a page-table
 * entry can choose by its bits PWT and PCD, PWT alone means write-combining. To be called
 * before any page is mapped with PWT.
 */
void control_init(void);

#endif
