/*
 * What guests print and what is typed for them: which of them has Hymir's console.
 *
 * Owns the focus, and of each guest the newest that it has sent. One guest alone has the
 * console to itself, byte by byte. Of several, the one with the focus; without a focus,
 * as at first, all print whole lines, with [name] in front. A guest that gets the focus
 * is shown with what it has sent before. Ctrl-] and a key is for Hymir: ? says which
 * there are.
 */
#ifndef HYMIR_RUNNER_GUEST_CONSOLE_H
#define HYMIR_RUNNER_GUEST_CONSOLE_H

#include "guest/vm.h"

#include <stddef.h>

#define GUEST_CONSOLE_GUESTS 64

/* Starts a guest again that has ended. On the boot CPU, in an interrupt. */
typedef void guest_restart(struct vm *vm);

/*
 * Adds a guest, at most GUEST_CONSOLE_GUESTS of them: its number is the next one.
 * STATUS_NO_MEMORY. On the boot CPU, before any runs.
 */
enum status MUST_CHECK guest_console_add(struct vm *vm);

/* Gives the console to the guests that were added. On the boot CPU, before any runs. */
void guest_console_start(guest_restart *restart);

/* A uart_output, for a struct vm. On the vCPU's CPU. */
void guest_console_print(void *context, uint8_t byte);

/* Flushes a VM's output to the screen: vm_environment.flush. On the vCPU's CPU. */
void guest_console_flush(void *context);

/*
 * Shows what a guest that has ended left of a line. Of several guests it loses the focus,
 * unless keeps_focus. On the vCPU's CPU.
 */
void guest_console_end(struct vm *vm, bool keeps_focus);

/* A byte from the keyboard or the serial line. On the boot CPU, with interrupts off. */
void guest_console_type(uint8_t byte);

#endif
