/* See uart.h. */
#include "dev/uart.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "x86/uart_16550.h"

static bool has_fifo(const struct uart *uart)
{
    return (uart->fifo_control & FIFO_ENABLE) != 0;
}

/* What waits with the highest priority. */
static enum interrupt_id waiting(const struct uart *uart)
{
    static const uint8_t triggers[] = {1, 4, 8, 14};
    uint8_t enabled                 = uart->interrupt_enable;

    if ((enabled & INTERRUPT_ENABLE_LINE_STATUS) != 0 && uart->is_overrun)
        return ID_LINE_STATUS;
    if ((enabled & INTERRUPT_ENABLE_RECEIVED) != 0 && uart->count > 0)
        return has_fifo(uart) && uart->count < triggers[FIFO_TRIGGER(uart->fifo_control)]
                   ? ID_TIME_OUT
                   : ID_RECEIVED;
    if ((enabled & INTERRUPT_ENABLE_SENT) != 0 && uart->has_sent)
        return ID_SENT;
    if ((enabled & INTERRUPT_ENABLE_MODEM_STATUS) != 0 && uart->modem_changes != 0)
        return ID_MODEM_STATUS;
    return ID_NONE;
}

static bool is_loopback(const struct uart *uart)
{
    return (uart->modem_control & MODEM_CONTROL_LOOPBACK) != 0;
}

static void update(struct uart *uart)
{
    bool is_let_out =
        (uart->modem_control & MODEM_CONTROL_INTERRUPT) != 0 && !is_loopback(uart);
    uart->interrupt(uart->context, is_let_out && waiting(uart) != ID_NONE);
    uart->only_sends = (uart->interrupt_enable & INTERRUPT_ENABLE_SENT) == 0 &&
                       !is_loopback(uart) &&
                       (uart->line_control & LINE_CONTROL_DLAB) == 0;
}

void uart_init(struct uart *uart, uart_output *output, uart_interrupt *interrupt,
               void *context)
{
    memset(uart, 0, sizeof(*uart));
    uart->output    = output;
    uart->interrupt = interrupt;
    uart->context   = context;
    update(uart);
}

/* Loopback disconnects it from the sender. */
size_t uart_room(const struct uart *uart)
{
    return is_loopback(uart) ? 0 : UART_BUFFER_SIZE - uart->count;
}

static void put_byte(struct uart *uart, uint8_t byte)
{
    uart->buffer[(uart->first + uart->count++) % UART_BUFFER_SIZE] = byte;
}

void uart_receive(struct uart *uart, uint8_t byte)
{
    if (uart_room(uart) > 0) {
        put_byte(uart, byte);
    } else {
        uart->is_overrun |= !is_loopback(uart);
        uart->lost++;
    }
    update(uart);
}

/* Receives what it sends. Data sheet, "Line Status Register": what an overrun loses. */
static void loop_back(struct uart *uart, uint8_t byte)
{
    bool is_full = uart->count >= (has_fifo(uart) ? FIFO_SIZE : 1);

    uart->is_overrun |= is_full;
    if (is_full && !has_fifo(uart))
        uart->count--; /* the byte that was there before */
    if (!is_full || !has_fifo(uart))
        put_byte(uart, byte);
    update(uart);
}

static uint8_t take_byte(struct uart *uart)
{
    if (uart->count == 0)
        return 0;
    uint8_t byte = uart->buffer[uart->first];
    uart->first  = (uart->first + 1) % UART_BUFFER_SIZE;
    uart->count--;
    update(uart);
    return byte;
}

/* While it sends the interrupt of an empty transmitter is gone: the next is a new one. */
static __attribute__((noinline)) void signal_sent(struct uart *uart)
{
    uart->has_sent = false;
    update(uart);
    uart->has_sent = true;
    update(uart);
}

static void send(struct uart *uart, uint8_t byte)
{
    uart->has_sent = true;
    if ((uart->interrupt_enable & INTERRUPT_ENABLE_SENT) != 0)
        signal_sent(uart);
    if (is_loopback(uart))
        loop_back(uart, byte);
    else
        uart->output(uart->context, byte);
}

/* In loopback the modem's inputs are its outputs: data sheet, "Modem Control Register".
 */
static uint8_t modem_inputs(const struct uart *uart)
{
    uint8_t out = uart->modem_control;

    if (!is_loopback(uart))
        return MODEM_STATUS_READY;
    return (uint8_t)((out & MODEM_CONTROL_RTS) << 3 | (out & MODEM_CONTROL_DTR) << 5 |
                     (out & (MODEM_CONTROL_OUT1 | MODEM_CONTROL_INTERRUPT)) << 4);
}

/* Notes which inputs changed; of the ring indicator only that it ended. */
static void write_modem_control(struct uart *uart, uint8_t value)
{
    uint8_t before = modem_inputs(uart);

    uart->modem_control = value & MODEM_CONTROL_BITS;
    uint8_t after       = modem_inputs(uart);
    uint8_t changes     = (before ^ after) & (uint8_t)~MODEM_STATUS_RING;
    changes |= before & (uint8_t)~after & MODEM_STATUS_RING;
    uart->modem_changes |= changes >> 4;
    update(uart);
}

static uint8_t read_modem_status(struct uart *uart)
{
    uint8_t status = modem_inputs(uart) | uart->modem_changes;

    uart->modem_changes = 0;
    update(uart);
    return status;
}

static uint8_t read_line_status(struct uart *uart)
{
    uint8_t status = (uint8_t)(LINE_STATUS_HOLDING_EMPTY | LINE_STATUS_ALL_SENT |
                               (uart->count > 0 ? LINE_STATUS_RECEIVED : 0) |
                               (uart->is_overrun ? LINE_STATUS_OVERRUN : 0));
    if (uart->is_overrun) {
        uart->is_overrun = false;
        update(uart);
    }
    return status;
}

static uint8_t read_interrupt_id(struct uart *uart)
{
    enum interrupt_id id = waiting(uart);

    if (id == ID_SENT) {
        uart->has_sent = false;
        update(uart);
    }
    return (uint8_t)((unsigned int)id | (has_fifo(uart) ? ID_FIFO : 0));
}

static uint8_t read_register(struct uart *uart, uint16_t offset)
{
    bool has_divisor = (uart->line_control & LINE_CONTROL_DLAB) != 0;

    switch (offset) {
    case UART_DATA:
        return has_divisor ? uart->divisor_low : take_byte(uart);
    case UART_INTERRUPT_ENABLE:
        return has_divisor ? uart->divisor_high : uart->interrupt_enable;
    case UART_INTERRUPT_ID:
        return read_interrupt_id(uart);
    case UART_LINE_CONTROL:
        return uart->line_control;
    case UART_MODEM_CONTROL:
        return uart->modem_control;
    case UART_LINE_STATUS:
        return read_line_status(uart);
    case UART_MODEM_STATUS:
        return read_modem_status(uart);
    default:
        return uart->scratch;
    }
}

/* Drops what the receiver holds; what is behind it in the buffer has not been received
 * yet. */
static void empty_fifo(struct uart *uart)
{
    size_t held    = has_fifo(uart) ? FIFO_SIZE : 1;
    size_t dropped = uart->count < held ? uart->count : held;

    uart->first = (uart->first + dropped) % UART_BUFFER_SIZE;
    uart->count -= dropped;
    uart->lost += is_loopback(uart) ? 0 : dropped;
}

/*
 * Data sheet, "FIFO Control Register": to switch the FIFOs empties them, and without them
 * no other bit counts.
 */
static void write_fifo_control(struct uart *uart, uint8_t value)
{
    bool is_on       = (value & FIFO_ENABLE) != 0;
    bool is_switched = is_on != has_fifo(uart);

    if (is_switched || (is_on && (value & FIFO_CLEAR_RECEIVER) != 0))
        empty_fifo(uart);
    uart->fifo_control = is_on ? value & FIFO_CONTROL_KEPT : 0;
    update(uart);
}

/* The transmitter is empty: to enable its interrupt raises it. */
static void write_interrupt_enable(struct uart *uart, uint8_t value)
{
    if ((value & ~uart->interrupt_enable & INTERRUPT_ENABLE_SENT) != 0)
        uart->has_sent = true;
    uart->interrupt_enable = value & INTERRUPT_ENABLE_BITS;
    update(uart);
}

static __attribute__((noinline)) void write_register(struct uart *uart, uint16_t offset,
                                                     uint8_t value)
{
    bool has_divisor = (uart->line_control & LINE_CONTROL_DLAB) != 0;

    switch (offset) {
    case UART_DATA:
        if (has_divisor)
            uart->divisor_low = value;
        else
            send(uart, value);
        break;
    case UART_INTERRUPT_ENABLE:
        if (has_divisor)
            uart->divisor_high = value;
        else
            write_interrupt_enable(uart, value);
        break;
    case UART_FIFO_CONTROL:
        write_fifo_control(uart, value);
        break;
    case UART_LINE_CONTROL:
        uart->line_control = value;
        update(uart);
        break;
    case UART_MODEM_CONTROL:
        write_modem_control(uart, value);
        break;
    case UART_SCRATCH:
        uart->scratch = value;
        break;
    default: /* status registers */
        break;
    }
}

static uint32_t read(void *device, uint16_t port, unsigned int size)
{
    (void)size;
    return read_register(device, port % 8);
}

static enum exit_outcome write(void *device, struct vcpu *vcpu, uint16_t port,
                               unsigned int size, uint32_t value)
{
    struct uart *uart = device;

    (void)vcpu;
    (void)size;
    if (port % 8 == UART_DATA && uart->only_sends) {
        uart->has_sent = true;
        uart->output(uart->context, (uint8_t)value);
    } else {
        write_register(uart, port % 8, (uint8_t)value);
    }
    return EXIT_NEXT;
}

struct port_device uart_device(struct uart *uart, uint16_t first)
{
    return (struct port_device){.first  = first,
                                .last   = (uint16_t)(first + 7),
                                .width  = 1,
                                .device = uart,
                                .read   = read,
                                .write  = write};
}
