/*
 * A 16550A as a guest sees it: output, a line at a time; no input and no interrupt.
 *
 * National Semiconductor PC16550D data sheet. It is always ready to send. What is written
 * comes out when a line ends, or is as long as UART_LINE_SIZE - 1.
 */
#ifndef HYMIR_DEV_UART_H
#define HYMIR_DEV_UART_H

#include "dev/port_device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_LINE_SIZE 200

/* Takes one line, NUL-terminated, without its end. */
typedef void uart_output(void *context, const char *line);

struct uart {
    uint8_t interrupt_enable, line_control, modem_control, scratch;
    uint8_t divisor_low, divisor_high;
    bool fifo_enabled;
    char line[UART_LINE_SIZE];
    size_t length;
    uart_output *output;
    void *context;
};

/* Brings it to the state after reset. */
void uart_init(struct uart *uart, uart_output *output, void *context);

/* Adds a character to the line, as if the guest had sent it. */
void uart_send(struct uart *uart, char character);

/* Gives out what there is of a line that did not end. */
void uart_flush(struct uart *uart);

/* The device at eight ports from first on. */
struct port_device uart_device(struct uart *uart, uint16_t first);

#endif
