/* See uart.h. */
#include "dev/uart.h"

#include "lib/clamp.h"
#include "lib/string.h"
#include "x86/uart_16550.h"

static bool has_fifo(const struct uart *uart)
{
    return (uart->fifo_control & FIFO_ENABLE) != 0;
}

/* Returns the pending interrupt with the highest priority. */
static enum interrupt_id pending_interrupt(const struct uart *uart)
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

static void update_interrupt(struct uart *uart)
{
    bool is_enabled =
        (uart->modem_control & MODEM_CONTROL_INTERRUPT) != 0 && !is_loopback(uart);
    interrupt_line_set(uart->interrupt, is_enabled && pending_interrupt(uart) != ID_NONE);
    uart->only_sends = (uart->interrupt_enable & INTERRUPT_ENABLE_SENT) == 0 &&
                       !is_loopback(uart) &&
                       (uart->line_control & LINE_CONTROL_DLAB) == 0;
}

/* Loopback disconnects the receiver. */
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
    update_interrupt(uart);
}

/* Receives its own byte; loses one on overrun: data sheet, "Line Status Register". */
static void loop_back(struct uart *uart, uint8_t byte)
{
    bool is_full = uart->count >= (has_fifo(uart) ? FIFO_SIZE : 1);

    uart->is_overrun |= is_full;
    if (is_full && !has_fifo(uart))
        uart->count--; /* the previous byte is lost */
    if (!is_full || !has_fifo(uart))
        put_byte(uart, byte);
    update_interrupt(uart);
}

static uint8_t pop_byte(struct uart *uart)
{
    if (uart->count == 0)
        return 0;
    uint8_t byte = uart->buffer[uart->first];
    uart->first  = (uart->first + 1) % UART_BUFFER_SIZE;
    uart->count--;
    update_interrupt(uart);
    return byte;
}

/* An empty transmitter accepts a whole FIFO. */
static bool is_transmitter_empty(const struct uart *uart)
{
    return byte_queue_room(uart->output.queue) >= FIFO_SIZE;
}

bool uart_send(struct uart *uart, uint8_t byte)
{
    unsigned int length = byte_queue_length(uart->output.queue);

    if (length == uart->output.queue->size)
        return false;
    byte_queue_put(uart->output.queue, byte);
    if (length == 0)
        uart->output.starts(uart->output.context);
    return true;
}

/* Raises the transmitter-empty interrupt, now or once the transmitter is empty. */
static __attribute__((noinline)) void signal_empty(struct uart *uart)
{
    uart->has_sent   = is_transmitter_empty(uart);
    uart->is_waiting = !uart->has_sent;
    update_interrupt(uart);
}

void uart_update_transmitter(struct uart *uart)
{
    if (uart->is_waiting)
        signal_empty(uart);
}

/* Sending clears the transmitter-empty interrupt before it is raised again: an edge. */
static bool send_byte(struct uart *uart, uint8_t byte)
{
    if (is_loopback(uart))
        loop_back(uart, byte);
    else if (!uart_send(uart, byte))
        return false;
    uart->has_sent = false;
    update_interrupt(uart);
    signal_empty(uart);
    return true;
}

/* Data sheet, "Modem Control Register": in loopback the inputs are the outputs. */
static uint8_t modem_inputs(const struct uart *uart)
{
    uint8_t out = uart->modem_control;

    if (!is_loopback(uart))
        return MODEM_STATUS_READY;
    return (uint8_t)((out & MODEM_CONTROL_RTS) << 3 | (out & MODEM_CONTROL_DTR) << 5 |
                     (out & (MODEM_CONTROL_OUT1 | MODEM_CONTROL_INTERRUPT)) << 4);
}

/* Records which inputs changed; of the ring indicator only its falling edge. */
static void write_modem_control(struct uart *uart, uint8_t value)
{
    uint8_t before = modem_inputs(uart);

    uart->modem_control = value & MODEM_CONTROL_BITS;
    uint8_t after       = modem_inputs(uart);
    uint8_t changes     = (before ^ after) & (uint8_t) ~(after & MODEM_STATUS_RING);
    uart->modem_changes |= changes >> 4;
}

static uint8_t read_modem_status(struct uart *uart)
{
    uint8_t status = modem_inputs(uart) | uart->modem_changes;

    uart->modem_changes = 0;
    update_interrupt(uart);
    return status;
}

static uint8_t read_line_status(struct uart *uart)
{
    if (uart->is_waiting)
        signal_empty(uart);
    bool is_empty  = is_transmitter_empty(uart);
    uint8_t status = (uint8_t)((is_empty ? LINE_STATUS_TRANSMITTER : 0) |
                               (uart->count > 0 ? LINE_STATUS_RECEIVED : 0) |
                               (uart->is_overrun ? LINE_STATUS_OVERRUN : 0));
    if (uart->is_overrun) {
        uart->is_overrun = false;
        update_interrupt(uart);
    }
    return status;
}

static uint8_t read_interrupt_id(struct uart *uart)
{
    enum interrupt_id id = pending_interrupt(uart);

    if (id == ID_SENT) {
        uart->has_sent = false;
        update_interrupt(uart);
    }
    return (uint8_t)((unsigned int)id | (has_fifo(uart) ? ID_FIFO : 0));
}

static uint32_t read_port(void *device, uint16_t port)
{
    struct uart *uart = device;
    bool has_divisor  = (uart->line_control & LINE_CONTROL_DLAB) != 0;

    switch (port % 8) {
    case UART_DATA:
        return has_divisor ? uart->divisor[0] : pop_byte(uart);
    case UART_INTERRUPT_ENABLE:
        return has_divisor ? uart->divisor[1] : uart->interrupt_enable;
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

/* Drops the bytes in the FIFO; those after it in the buffer are not yet received. */
static void empty_fifo(struct uart *uart)
{
    size_t held    = has_fifo(uart) ? FIFO_SIZE : 1;
    size_t dropped = uart->count < held ? uart->count : held;

    uart->first = (uart->first + dropped) % UART_BUFFER_SIZE;
    uart->count -= dropped;
    uart->lost += is_loopback(uart) ? 0 : dropped;
}

/*
 * Data sheet, "FIFO Control Register": enabling or disabling the FIFOs clears them; the
 * other bits are ignored unless the FIFOs are enabled.
 */
static void write_fifo_control(struct uart *uart, uint8_t value)
{
    bool is_on       = (value & FIFO_ENABLE) != 0;
    bool is_switched = is_on != has_fifo(uart);

    if (is_switched || (is_on && (value & FIFO_CLEAR_RECEIVER) != 0))
        empty_fifo(uart);
    uart->fifo_control = is_on ? value & FIFO_CONTROL_KEPT : 0;
}

/* Enabling the transmitter's interrupt raises it if it is empty. */
static void write_interrupt_enable(struct uart *uart, uint8_t value)
{
    bool is_enabled = (value & ~uart->interrupt_enable & INTERRUPT_ENABLE_SENT) != 0;

    uart->interrupt_enable = value & INTERRUPT_ENABLE_BITS;
    if (is_enabled)
        signal_empty(uart);
}

/* Returns false, without an effect, for data without room. */
static __attribute__((noinline)) bool write_register(struct uart *uart, uint16_t offset,
                                                     uint8_t value)
{
    if ((uart->line_control & LINE_CONTROL_DLAB) != 0 && offset < sizeof(uart->divisor)) {
        uart->divisor[clamp_index(offset, sizeof(uart->divisor))] = value;
        return true;
    }
    switch (offset) {
    case UART_DATA:
        return send_byte(uart, value);
    case UART_INTERRUPT_ENABLE:
        write_interrupt_enable(uart, value);
        break;
    case UART_FIFO_CONTROL:
        write_fifo_control(uart, value);
        break;
    case UART_LINE_CONTROL:
        uart->line_control = value;
        break;
    case UART_MODEM_CONTROL:
        write_modem_control(uart, value);
        break;
    case UART_SCRATCH:
        uart->scratch = value;
        break;
    default: /* status registers */
        return true;
    }
    update_interrupt(uart);
    return true;
}

/* An OUT that finds no room is executed again, so that only its guest waits. */
static enum exit_outcome write_port(void *device, uint16_t port, uint32_t value)
{
    struct uart *uart = device;
    bool is_done      = port % 8 == UART_DATA && uart->only_sends
                            ? uart_send(uart, (uint8_t)value)
                            : write_register(uart, port % 8, (uint8_t)value);

    return is_done ? EXIT_NEXT : EXIT_RESUME;
}

void uart_init(struct uart *uart, struct port_map *ports,
               struct interrupt_line *interrupt, const struct uart_line *output)
{
    memset(uart, 0, sizeof(*uart));
    uart->interrupt = interrupt;
    uart->output    = *output;
    update_interrupt(uart);
    port_map_add(ports, (struct port_device){UART_COM1, UART_COM1 + 7, 1, uart, read_port,
                                             write_port});
}
