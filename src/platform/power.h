/*
 * Power off, reset and halt.
 *
 * Owns the ACPI registers for these. Always stops the other CPUs and leaves
 * virtualization on all CPUs first: VMX root operation and a clear GIF of SVM block INIT,
 * so that the machine may not reset. ACPI 6.5, "Reset Register", "Transitioning from the
 * Working to the Sleeping State".
 */
#ifndef HYMIR_PLATFORM_POWER_H
#define HYMIR_PLATFORM_POWER_H

#include "firmware/platform_power.h"
#include "lib/options.h"

/*
 * Sets the registers; those in memory are mapped, uncached and identity-mapped. Until
 * then only the methods that need no ACPI table are used.
 */
void power_set_registers(const struct platform_power *power);

/*
 * Drains the output by drain (which may be NULL) and performs action, from any CPU. If
 * the action has no effect, logs that and halts.
 */
_Noreturn void power_exit(enum end_action action, void (*drain)(void));

#endif
