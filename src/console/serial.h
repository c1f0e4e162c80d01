/*
 * The driver for a 16550A-compatible serial port, 115200 baud, 8N1.
 *
 * Owns the one port in use. National Semiconductor PC16550D data sheet. All waits are
 * bounded: after a timeout the port is no longer used.
 */
#ifndef HYMIR_CONSOLE_SERIAL_H
#define HYMIR_CONSOLE_SERIAL_H

#include "x86/uart_16550.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The timeout, in reads of the line status of 100 ns to 1 us each. Sending a full FIFO of
 * 16 characters takes 1.4 ms.
 */
#define SERIAL_WAIT_READS 200000U

/* Detects and initializes a UART at I/O ports port to port + 7; false if absent. */
bool serial_init(uint16_t port);

/* Sends text, each line feed as CR LF. No effect without a UART. */
void serial_write(const char *text, size_t length);

/* Returns whether a UART was found and has not timed out. */
bool serial_is_present(void);

/* Sends bytes verbatim. */
void serial_send(const uint8_t *bytes, size_t size);

/*
 * Enables receive interrupts on IRQ *interrupt, 3 or 4. Returns false without a UART, or
 * if its address has no standard IRQ. Bytes received while sending may raise no
 * interrupt: then notify is called, on the sending CPU.
 */
bool serial_start_receiving(uint8_t *interrupt, void (*notify)(void));

/*
 * Reads a received byte; returns false if there is none. Up to 4096 bytes are buffered.
 * May be called on any CPU.
 */
bool serial_receive(uint8_t *byte);

/* Returns how many overruns of the buffer or the UART have lost input. */
unsigned int serial_lost(void);

/* Waits until the last character has been sent. */
void serial_drain(void);

#endif
