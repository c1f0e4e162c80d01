/*
 * The state of a CPU that other software, started before Hymir, may leave and that Hymir
 * cannot work with.
 */
#ifndef HYMIR_CPU_INHERITED_STATE_H
#define HYMIR_CPU_INHERITED_STATE_H

#include "cpu/percpu.h"

/*
 * Clears on the executing CPU, and logs:
 *
 * - CR4.VMXE, unless the CPU is in VMX operation, where clearing it raises #GP: the bit
 *   then stays set, and the check of CR4 reports it. SDM 3C, "Enabling and Entering VMX
 *   Operation".
 * - EFER.SVME, after setting GIF, without which no interrupt would ever be taken. SVM has
 *   no root operation, so software that Hymir replaced cannot prevent this. APM 2,
 *   "Enabling SVM".
 * - The limit of CPUID that firmware sets for old operating systems and that hides leaves
 *   above 3: IA32_MISC_ENABLE[22]. Sets cpu->had_cpuid_limit. SDM 4, "Architectural
 *   MSRs".
 * - MSR_TEST_CTRL[29], which Linux sets: a guest's locked access across cache lines would
 *   raise #AC, which no guest expects at CPL 0 or with CR0.AM clear. SDM 3B, "Features to
 *   Disable Bus Locks".
 *
 * Requires that exceptions are handled.
 */
void inherited_state_clear(struct cpu *cpu);

#endif
