/*
 * A serial port: 16550A and what is compatible with it, 115200 baud, 8N1.
 *
 * Owns the one port in use. National Semiconductor PC16550D data sheet. No wait is
 * unbounded: a port that does not answer is taken for absent, one that stops taking
 * characters is given up.
 */
#ifndef HYMIR_CONSOLE_SERIAL_H
#define HYMIR_CONSOLE_SERIAL_H

#include "x86/uart_16550.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How often a port is read before the UART is given up, each read taking some 100 ns to
 * 1 us. A full FIFO of 16 characters takes 1.4 ms to send.
 */
#define SERIAL_WAIT_READS 200000U

/*
 * Looks for a UART at the eight I/O ports from port on and sets it up; false if there is
 * none.
 */
bool serial_init(uint16_t port);

/*
 * Sends text, with each line feed as carriage return and line feed. Without a UART it
 * does nothing.
 */
void serial_write(const char *text, size_t length);

/* True as long as there is a UART that sends. */
bool serial_is_present(void);

/* Sends bytes as they are. */
void serial_send(const uint8_t *bytes, size_t size);

/*
 * Has the UART interrupt when something arrives; its IRQ is *interrupt, 3 or 4. False
 * without a UART, or for one at an address that no IRQ goes with. What arrives while
 * something is sent may come without an interrupt: then tell is called, on the CPU that
 * sent.
 */
bool serial_start_receiving(uint8_t *interrupt, void (*tell)(void));

/*
 * Takes a byte that has arrived; false if there is none. Up to 4096 bytes wait for it,
 * and what arrives while something is sent is among them. On any CPU.
 */
bool serial_receive(uint8_t *byte);

/* How often something was lost that had arrived, for want of room. */
unsigned int serial_lost(void);

/* Waits until the last character has left the machine. */
void serial_drain(void);

#endif
