/*
 * The end of Hymir's time on the machine: power off, reset, halt.
 *
 * Owns what firmware said about the registers. Every way out stops the other CPUs and
 * leaves VMX operation on all of them first: INIT is blocked in VMX root operation, and a
 * machine left in it may not reset. ACPI 6.5, "Reset Register", "Transitioning from the
 * Working to the Sleeping State".
 */
#ifndef HYMIR_PLATFORM_POWER_H
#define HYMIR_PLATFORM_POWER_H

#include "firmware/platform_power.h"
#include "lib/options.h"

/*
 * Tells the registers. Those in memory are already mapped, uncached, at their own
 * address. Without this call there are only the ways that need no table.
 */
void power_set_registers(const struct platform_power *power);

/*
 * Does what action says, from any CPU, with the output on its way drained by drain (which
 * may be NULL). What the machine does not do, it says, and then halts.
 */
_Noreturn void power_exit(enum exit_action action, void (*drain)(void));

#endif
