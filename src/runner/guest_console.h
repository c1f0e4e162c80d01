/*
 * Shares Hymir's console among the guests, for output and input.
 *
 * Owns the focus and the recent output of each guest. What a guest sends waits in its VM
 * until the boot CPU, at the serial port's interrupts, shows it: a guest that sends more
 * than the console accepts waits, and no other guest does. The guest with the focus has
 * the console to itself, byte by byte; a single guest always has it. Without a focus, as
 * at first, all guests print whole lines, prefixed by [name]. A guest that gets the focus
 * is shown with its recent output. Ctrl-] and a key is a command for Hymir; ? lists them.
 */
#ifndef HYMIR_RUNNER_GUEST_CONSOLE_H
#define HYMIR_RUNNER_GUEST_CONSOLE_H

#include "guest/vm.h"

#include <stddef.h>

#define GUEST_CONSOLE_GUESTS 64

/* Restarts a guest that has ended. On the boot CPU, in an interrupt. */
typedef void guest_restart(struct vm *vm);

/*
 * Adds a guest and numbers it. STATUS_NO_MEMORY, also beyond GUEST_CONSOLE_GUESTS. On the
 * boot CPU, before any guest runs.
 */
enum status MUST_CHECK guest_console_add(struct vm *vm);

/* Gives the console to the added guests. On the boot CPU, before any guest runs. */
void guest_console_start(guest_restart *restart);

/*
 * Shows what guests have sent, as much as the console accepts without a wait; each guest
 * gets an equal share. On the boot CPU, in an interrupt.
 */
void guest_console_serve(void);

/* Makes the boot CPU show a VM's output: vm_environment.flush. On the vCPU's CPU. */
void guest_console_flush(void *context);

/*
 * Shows all output of a guest that has ended, and its unfinished line. If there are
 * several guests, it loses the focus, unless keeps_focus. On the vCPU's CPU; waits for
 * the serial line.
 */
void guest_console_end(struct vm *vm, bool keeps_focus);

/* Handles a byte of input. On the boot CPU, with interrupts disabled. */
void guest_console_type(uint8_t byte);

#endif
