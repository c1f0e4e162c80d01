/*
 * The driver for a 16550A-compatible serial port, 115200 baud, 8N1.
 *
 * Owns the one port in use. National Semiconductor PC16550D data sheet. Characters are
 * written to the FIFO as many at a time as it holds. All waits are bounded: after a
 * timeout the port is no longer used.
 */
#ifndef HYMIR_CONSOLE_SERIAL_H
#define HYMIR_CONSOLE_SERIAL_H

#include "x86/uart_16550.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The timeout before there is a clock (boot/multiboot.asm), in reads of the line status
 * of 100 ns to 1 us each.
 */
#define SERIAL_WAIT_READS 200000U

/* The time that the UART has to send a full FIFO: 16 characters take 1.4 ms. */
#define SERIAL_TIMEOUT_US 200000U

/* Bytes that wait for the UART; more than the console sends for one command. */
#define SERIAL_QUEUE_SIZE 8192

/* Detects and initializes a UART at I/O ports port to port + 7; false if absent. */
bool serial_init(uint16_t port);

/* Sends text, each line feed as CR LF. No effect without a UART. */
void serial_write(const char *text, size_t length);

/* Returns whether a UART was found and has not timed out. */
bool serial_is_present(void);

/* Sends bytes verbatim. */
void serial_send(const uint8_t *bytes, size_t size);

/*
 * From now on the functions that send only queue bytes, and wait only if the queue is
 * full. The caller calls serial_continue at each of the UART's interrupts, which are
 * enabled, or about once a millisecond while serial_queued is not 0.
 */
void serial_send_in_background(void);

/* Writes up to a FIFO of queued bytes if the UART's is empty. On any CPU; never waits. */
void serial_continue(void);

/* Waits until what is queued now is in the UART. On any CPU. */
void serial_finish(void);

/* Returns how many bytes are queued. */
size_t serial_queued(void);

/*
 * Returns whether the UART requests an interrupt, and clears a request to send. Until it
 * returns false, an edge-triggered line may not have risen again.
 */
bool serial_has_interrupt(void);

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

/* Sends all queued bytes, waits for the last one, and ends sending in the background. */
void serial_drain(void);

#endif
