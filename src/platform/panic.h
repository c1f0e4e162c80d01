/*
 * The end that comes when Hymir breaks an invariant of its own: a report that says where
 * and why.
 *
 * Stops the other CPUs, leaves VMX operation on all, prints the registers and a backtrace
 * with the names of the functions, and halts or resets as the option panic= says. No
 * guest, table or command line leads here: what comes from outside is refused with a
 * status instead.
 */
#ifndef HYMIR_PLATFORM_PANIC_H
#define HYMIR_PLATFORM_PANIC_H

#include "cpu/traps.h"
#include "lib/options.h"

#include <stdint.h>

/*
 * Sets what panic does last, EXIT_HALT or EXIT_REBOOT, what makes its words visible, and
 * how console output is drained.
 */
void panic_set_exit(enum exit_action action, void (*show)(void), void (*drain)(void));

/* Changes the first of these; returns what it was. */
enum exit_action panic_set_action(enum exit_action action);

/* The panic of an exception that nobody expects. For any CPU. */
_Noreturn void panic_at_trap(const struct trap_frame *frame);

#endif
