/*
 * The driver for a 16550A-compatible serial port, 8N1.
 *
 * Owns the one port in use. National Semiconductor PC16550D data sheet. Characters are
 * written to the FIFO as many at a time as it holds. All waits are bounded: after a
 * timeout the port is no longer used.
 */
#ifndef HYMIR_CONSOLE_SERIAL_H
#define HYMIR_CONSOLE_SERIAL_H

#include "lib/serial_port.h"
#include "lib/status.h"
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

/*
 * Detects a UART, whether or not it is in use: it must not be sending.
 * STATUS_OUT_OF_RANGE for memory that is RAM or cannot be mapped, which is not accessed;
 * STATUS_NOT_FOUND.
 */
enum status MUST_CHECK serial_probe(const struct serial_port *candidate);

/*
 * Detects and initializes a UART, and uses it instead of the one in use until now; false
 * if absent. Memory must not be mapped anew afterwards: call it for a UART in memory in
 * Hymir's own address space only.
 */
bool serial_init(const struct serial_port *new_port);

/* Sends text, each line feed as CR LF. No effect without a UART. */
void serial_write(const char *text, size_t length);

/* Returns whether a UART was found and has not timed out. */
bool serial_is_present(void);

/* Returns the port that was initialized last. */
const struct serial_port *serial_get_port(void);

/* Returns whether a port is the one in use, at the same speed. */
bool serial_is_using(const struct serial_port *other);

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
 * Enables receive interrupts, and returns the port's interrupt: an ISA one, another
 * global system interrupt, or SERIAL_NO_INTERRUPT if it is not known; then the caller
 * must poll. Returns false without a UART. Bytes received while sending may raise no
 * interrupt: then notify is called, on the sending CPU.
 */
bool serial_start_receiving(uint32_t *interrupt, void (*notify)(void));

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
