/*
 * Port 0xE9, where Bochs (port_e9_hack) and QEMU (isa-debugcon) take characters. Output
 * only.
 */
#ifndef HYMIR_CONSOLE_DEBUG_PORT_H
#define HYMIR_CONSOLE_DEBUG_PORT_H

#include <stdbool.h>
#include <stddef.h>

/* Looks for the port, which reads as its own number; false if it is not there. */
bool debug_port_init(void);

/* Sends text; without the port it does nothing. */
void debug_port_write(const char *text, size_t length);

#endif
