/*
 * A 16550A as a guest sees it.
 *
 * National Semiconductor PC16550D data sheet. It sends at once: the transmitter is always
 * empty. What it receives waits in a buffer behind its FIFO, as long as a sender with
 * flow control would keep it, and is in the FIFO when the guest looks: to clear the FIFO
 * drops no more than that holds. The interrupt of the trigger level and that of the
 * time-out come without delay. In loopback, what it
 * sends itself has the FIFO alone, and nothing else is received. Scratch, modem status.
 * Not modelled: parity, break, DMA.
 */
#ifndef HYMIR_DEV_UART_H
#define HYMIR_DEV_UART_H

#include "dev/port_device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_BUFFER_SIZE 4096 /* bytes */

/* Takes a byte that the guest sends. */
typedef void uart_output(void *context, uint8_t byte);

/* The interrupt output. */
typedef void uart_interrupt(void *context, bool is_high);

struct uart {
    uint8_t interrupt_enable, fifo_control, line_control, modem_control, scratch;
    uint8_t divisor_low, divisor_high;
    uint8_t modem_changes; /* the low half of the modem status register */
    bool is_overrun;
    bool only_sends; /* a byte to the transmitter has no effect but that it is sent */
    bool has_sent;   /* the interrupt of an empty transmitter waits */
    uint8_t buffer[UART_BUFFER_SIZE];
    size_t first, count; /* of the buffer */
    uint64_t
        lost; /* bytes for which there was no room, or with which a FIFO was cleared */
    uart_output *output;
    uart_interrupt *interrupt;
    void *context;
};

/* Brings it to the state after reset. */
void uart_init(struct uart *uart, uart_output *output, uart_interrupt *interrupt,
               void *context);

/* Adds a byte to what it receives; what has no room is lost, and counted. */
void uart_receive(struct uart *uart, uint8_t byte);

/* How many more bytes it can receive. */
size_t uart_room(const struct uart *uart);

/* The device at eight ports from first on. */
struct port_device uart_device(struct uart *uart, uint16_t first);

#endif
