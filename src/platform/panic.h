/*
 * The panic: reports a violated invariant of Hymir and ends it.
 *
 * Stops the other CPUs, leaves virtualization on all, prints the registers and a
 * backtrace with function names, and halts or resets as option panic= selects. Guests,
 * firmware tables and the command line never cause a panic: invalid input is rejected
 * with a status.
 */
#ifndef HYMIR_PLATFORM_PANIC_H
#define HYMIR_PLATFORM_PANIC_H

#include "cpu/traps.h"
#include "lib/options.h"

#include <stdint.h>

/*
 * Sets the final action of a panic, END_HALT or END_REBOOT, and the functions that make
 * its report visible and drain the console.
 */
void panic_set_exit(enum end_action action, void (*show)(void), void (*drain)(void));

/* Panics over an unexpected exception. For any CPU. */
_Noreturn void panic_at_trap(const struct trap_frame *frame);

#endif
