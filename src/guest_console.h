/*
 * What guests print and what is typed for them: which of them has Hymir's console.
 *
 * Owns the focus. One guest alone has the console to itself, byte by byte. Of several,
 * the one with the focus; without a focus, as at first, all print whole lines, with
 * [name] in front. Ctrl-] and a key is for Hymir: ? says which there are.
 */
#ifndef HYMIR_GUEST_CONSOLE_H
#define HYMIR_GUEST_CONSOLE_H

#include "guest/vm.h"

#include <stddef.h>

#define GUEST_CONSOLE_GUESTS 64

/* Takes the guests, at most GUEST_CONSOLE_GUESTS of them, before they run. */
void guest_console_start(struct vm *const *vms, size_t count);

/* A uart_output, for a struct vm. On the vCPU's CPU. */
void guest_console_print(void *context, uint8_t byte);

/* A vm_flush. On the vCPU's CPU. */
void guest_console_flush(struct vm *vm);

/* Shows what a guest that has ended left of a line. On the vCPU's CPU. */
void guest_console_end(struct vm *vm);

/* A byte from the keyboard or the serial line. On the boot CPU, with interrupts off. */
void guest_console_type(uint8_t byte);

#endif
