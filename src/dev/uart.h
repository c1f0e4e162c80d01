/*
 * A 16550A as a guest sees it.
 *
 * National Semiconductor PC16550D data sheet. It sends immediately: the transmitter is
 * always empty. Received bytes wait in a buffer, as a sender with flow control would hold
 * them, and enter the FIFO when the guest reads: clearing the FIFO drops only the bytes
 * in it. The trigger-level and time-out interrupts come without delay. In loopback only
 * the FIFO holds what it sends to itself, and nothing else is received. Scratch and modem
 * status are modelled; parity, break and DMA are not.
 */
#ifndef HYMIR_DEV_UART_H
#define HYMIR_DEV_UART_H

#include "dev/interrupt_line.h"
#include "dev/port_map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_BUFFER_SIZE 4096 /* bytes */

/* Receives a byte that the guest sends. */
typedef void uart_output(void *context, uint8_t byte);

struct uart {
    uint8_t interrupt_enable, fifo_control, line_control, modem_control, scratch;
    uint8_t divisor[2];    /* low byte, high byte */
    uint8_t modem_changes; /* the low half of the modem status register */
    bool is_overrun;
    bool only_sends; /* writing a data byte only sends it, without other effects */
    bool has_sent;   /* the transmitter-empty interrupt is pending */
    uint8_t buffer[UART_BUFFER_SIZE];
    size_t first, count; /* in the buffer */
    uint64_t lost;       /* bytes dropped: no room, or in a FIFO that was cleared */
    struct interrupt_line *interrupt;
    uart_output *output;
    void *context;
};

/* Resets it and adds its ports, those of COM1; context is output's. */
void uart_init(struct uart *uart, struct port_map *ports,
               struct interrupt_line *interrupt, uart_output *output, void *context);

/* Adds a received byte; without room, counts it as lost. */
void uart_receive(struct uart *uart, uint8_t byte);

/* Returns how many more bytes it can receive. */
size_t uart_room(const struct uart *uart);

#endif
