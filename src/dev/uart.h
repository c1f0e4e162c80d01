/*
 * A 16550A as a guest sees it.
 *
 * National Semiconductor PC16550D data sheet. What it sends goes to a queue, emptied
 * at the speed of the line: the transmitter is empty while a FIFO of bytes fits, as with
 * a slow line, and a guest that sends without room waits at the OUT. Received bytes wait
 * in a buffer, as a sender with flow control would hold them, and enter the FIFO when the
 * guest reads: clearing the FIFO drops only the bytes in it. The trigger-level and
 * time-out interrupts come without delay. In loopback only the FIFO holds what it sends
 * to itself, and nothing else is received. Scratch and modem status are modelled; parity,
 * break and DMA are not.
 */
#ifndef HYMIR_DEV_UART_H
#define HYMIR_DEV_UART_H

#include "dev/interrupt_line.h"
#include "dev/port_map.h"
#include "lib/byte_queue.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_BUFFER_SIZE 4096 /* bytes */

/* Where it sends to. */
struct uart_line {
    struct byte_queue *queue;
    void (*starts)(void *context); /* called when the empty queue gets its first byte */
    void *context;
};

struct uart {
    uint8_t interrupt_enable, fifo_control, line_control, modem_control, scratch;
    uint8_t divisor[2];    /* low byte, high byte */
    uint8_t modem_changes; /* the low half of the modem status register */
    bool is_overrun;
    bool only_sends; /* writing a data byte only sends it, without other effects */
    bool has_sent;   /* the transmitter-empty interrupt is pending */
    bool is_waiting; /* that interrupt comes when the transmitter is empty again */
    uint8_t buffer[UART_BUFFER_SIZE];
    size_t first, count; /* in the buffer */
    uint64_t lost;       /* bytes dropped: no room, or in a FIFO that was cleared */
    struct interrupt_line *interrupt;
    struct uart_line output;
};

/* Resets it and adds its ports, those of COM1. */
void uart_init(struct uart *uart, struct port_map *ports,
               struct interrupt_line *interrupt, const struct uart_line *output);

/* Sends a byte; returns false if there is no room for it. */
bool uart_send(struct uart *uart, uint8_t byte);

/* Notices that the queue was emptied: raises the interrupt that waits for that. */
void uart_update_transmitter(struct uart *uart);

/* Adds a received byte; without room, counts it as lost. */
void uart_receive(struct uart *uart, uint8_t byte);

/* Returns how many more bytes it can receive. */
size_t uart_room(const struct uart *uart);

#endif
