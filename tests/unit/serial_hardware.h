/*
 * src/console/serial.c, included, on a simulated UART.
 */
#ifndef HYMIR_TESTS_SERIAL_HARDWARE_H
#define HYMIR_TESTS_SERIAL_HARDWARE_H

#include "unit.h"

/* Replaces src/cpu/instructions.h: port accesses go to the simulated UART. */
#define HYMIR_CPU_INSTRUCTIONS_H
static uint8_t io_in8(uint16_t port);
static void io_out8(uint16_t port, uint8_t value);
static void *read_gs_pointer(void);

/* A clock that advances by a microsecond at each access to the UART. */
#define HYMIR_PLATFORM_CLOCK_H
struct deadline {
    uint64_t end;
};
static struct deadline deadline_in(uint32_t timeout_us);
static bool deadline_has_passed(const struct deadline *deadline);

#include "../../src/console/serial.c"

#define PORT 0x3F8

struct cpu boot_cpu;
static struct cpu *current_cpu;

static void *read_gs_pointer(void)
{
    return current_cpu;
}

static uint64_t time_us;

static struct deadline deadline_in(uint32_t timeout_us)
{
    return (struct deadline){time_us + timeout_us};
}

static bool deadline_has_passed(const struct deadline *deadline)
{
    return time_us > deadline->end;
}

static struct {
    uint16_t port;
    bool is_present;
    bool is_stuck; /* never ready to send */
    bool has_fifo; /* 16 bytes, sent by send_fifo */
    size_t fifo_length, fifo_longest;
    uint8_t interrupt_enable, line_control, fifo_control, modem_control;
    uint8_t divisor_low, divisor_high;
    char sent[256];
    size_t sent_length;
    const char *arriving; /* received, and not read yet */
    uint8_t overrun;      /* 2: not reported yet */
    size_t reads;
    size_t writes;
} uart;

static uint8_t read_line_status(void)
{
    uint8_t overrun = uart.overrun;
    uart.overrun    = 0;
    return (uart.is_stuck || uart.fifo_length > 0 ? 0 : 0x60) |
           (*uart.arriving != '\0' ? 1 : 0) | overrun;
}

static uint8_t io_in8(uint16_t port)
{
    uart.reads++;
    time_us++;
    if (!uart.is_present || port < uart.port || port > uart.port + 7)
        return 0xFF;
    switch (port - uart.port) {
    case 0:
        assert_true((uart.line_control & 0x80) == 0 && *uart.arriving != '\0');
        return (uint8_t)*uart.arriving++;
    case 1:
        return uart.interrupt_enable;
    case 2:
        return uart.has_fifo ? 0xC1 : 1;
    case 5:
        return read_line_status();
    default:
        return 0;
    }
}

static void io_out8(uint16_t port, uint8_t value)
{
    bool has_divisor = (uart.line_control & 0x80) != 0;
    uart.writes++;
    assert_true(port >= uart.port && port <= uart.port + 7);
    switch (port - uart.port) {
    case 0:
        if (has_divisor)
            uart.divisor_low = value;
        else
            uart.sent[uart.sent_length++ % sizeof(uart.sent)] = (char)value;
        if (!has_divisor && uart.has_fifo)
            uart.fifo_length++;
        if (uart.fifo_length > uart.fifo_longest)
            uart.fifo_longest = uart.fifo_length;
        break;
    case 1:
        if (has_divisor)
            uart.divisor_high = value;
        else
            uart.interrupt_enable = value & 0x0F;
        break;
    case 2:
        uart.fifo_control = value;
        break;
    case 3:
        uart.line_control = value;
        break;
    case 4:
        uart.modem_control = value;
        break;
    }
}

static size_t notified;

static void note_arrival(void)
{
    notified++;
}

static int uart_start(void **state)
{
    (void)state;
    memset(&uart, 0, sizeof(uart));
    received.notify = NULL;
    atomic_store(&received.lost, 0);
    byte_queue_clear(&received.queue);
    byte_queue_clear(&sending.queue);
    sending.is_in_background = false;
    current_cpu              = &boot_cpu;
    notified                 = 0;
    uart.port                = PORT;
    uart.arriving            = "";
    uart.is_present          = true;
    uart.divisor_low         = 0xA5;
    uart.divisor_high        = 0xA5;
    return 0;
}

#endif
