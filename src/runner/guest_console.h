/*
 * Shares Hymir's console among the guests, for output and input.
 *
 * Owns the focus and the recent output of each guest. The guest with the focus has the
 * console to itself, byte by byte; a single guest always has it. Without a focus, as at
 * first, all guests print whole lines, prefixed by [name]. A guest that gets the focus is
 * shown with its recent output. Ctrl-] and a key is a command for Hymir; ? lists them.
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

/* A uart_output, for a struct vm. On the vCPU's CPU. */
void guest_console_print(void *context, uint8_t byte);

/* Flushes a VM's output to the screen: vm_environment.flush. On the vCPU's CPU. */
void guest_console_flush(void *context);

/*
 * Prints the unfinished line of a guest that has ended. If there are several guests, it
 * loses the focus, unless keeps_focus. On the vCPU's CPU.
 */
void guest_console_end(struct vm *vm, bool keeps_focus);

/* Handles a byte of input. On the boot CPU, with interrupts disabled. */
void guest_console_type(uint8_t byte);

#endif
