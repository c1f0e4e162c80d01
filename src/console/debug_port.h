/* The debug output port 0xE9 of Bochs (port_e9_hack) and QEMU (isa-debugcon). */
#ifndef HYMIR_CONSOLE_DEBUG_PORT_H
#define HYMIR_CONSOLE_DEBUG_PORT_H

#include <stdbool.h>
#include <stddef.h>

/* Detects the port, which reads as its own number; returns whether it is present. */
bool debug_port_init(void);

/* Writes text; no effect without the port. */
void debug_port_write(const char *text, size_t length);

#endif
