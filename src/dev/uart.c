/* See uart.h. */
#include "dev/uart.h"

#include "lib/string.h"

enum uart_offset {
    UART_DATA = 0, /* receiver, transmitter; with DLAB the divisor's low byte */
    UART_INTERRUPT_ENABLE = 1, /* with DLAB the divisor's high byte */
    UART_INTERRUPT_ID     = 2, /* read */
    UART_FIFO_CONTROL     = 2, /* write */
    UART_LINE_CONTROL     = 3,
    UART_MODEM_CONTROL    = 4,
    UART_LINE_STATUS      = 5,
    UART_MODEM_STATUS     = 6,
    UART_SCRATCH          = 7,
};

#define LINE_CONTROL_DLAB      0x80U
#define INTERRUPT_ENABLE_BITS  0x0FU
#define MODEM_CONTROL_BITS     0x1FU
#define MODEM_CONTROL_LOOPBACK 0x10U
#define INTERRUPT_ID_NONE      0x01U
#define INTERRUPT_ID_FIFO      0xC0U
#define LINE_STATUS_ALL_SENT   0x60U /* holding register and transmitter empty */
#define MODEM_STATUS_READY     0xB0U /* DCD, DSR, CTS */

void uart_init(struct uart *uart, uart_output *output, void *context)
{
    memset(uart, 0, sizeof(*uart));
    uart->output  = output;
    uart->context = context;
}

void uart_flush(struct uart *uart)
{
    if (uart->length == 0)
        return;
    uart->line[uart->length] = '\0';
    uart->length             = 0;
    uart->output(uart->context, uart->line);
}

/* A guest's terminal is not Hymir's: what is no printable ASCII is shown as a dot. */
void uart_send(struct uart *uart, char character)
{
    if (character == '\n') {
        uart->line[uart->length] = '\0';
        uart->length             = 0;
        uart->output(uart->context, uart->line);
        return;
    }
    if (character == '\r' || character == '\0')
        return;
    bool is_printable = (character >= ' ' && character <= '~') || character == '\t';
    uart->line[uart->length++] = is_printable ? character : '.';
    if (uart->length == UART_LINE_SIZE - 1)
        uart_flush(uart);
}

/* In loopback the modem's inputs are its outputs: PC16550D, "Modem Control Register". */
static uint8_t modem_status(const struct uart *uart)
{
    uint8_t out = uart->modem_control;

    if ((out & MODEM_CONTROL_LOOPBACK) == 0)
        return MODEM_STATUS_READY;
    return (uint8_t)((out & 0x02) << 3 | (out & 0x01) << 5 | (out & 0x0C) << 4);
}

static uint8_t read_register(const struct uart *uart, uint16_t offset)
{
    bool has_divisor = (uart->line_control & LINE_CONTROL_DLAB) != 0;

    switch (offset) {
    case UART_DATA:
        return has_divisor ? uart->divisor_low : 0;
    case UART_INTERRUPT_ENABLE:
        return has_divisor ? uart->divisor_high : uart->interrupt_enable;
    case UART_INTERRUPT_ID:
        return INTERRUPT_ID_NONE | (uart->fifo_enabled ? INTERRUPT_ID_FIFO : 0);
    case UART_LINE_CONTROL:
        return uart->line_control;
    case UART_MODEM_CONTROL:
        return uart->modem_control;
    case UART_LINE_STATUS:
        return LINE_STATUS_ALL_SENT;
    case UART_MODEM_STATUS:
        return modem_status(uart);
    default:
        return uart->scratch;
    }
}

static void write_register(struct uart *uart, uint16_t offset, uint8_t value)
{
    bool has_divisor = (uart->line_control & LINE_CONTROL_DLAB) != 0;

    switch (offset) {
    case UART_DATA:
        if (has_divisor)
            uart->divisor_low = value;
        else if ((uart->modem_control & MODEM_CONTROL_LOOPBACK) == 0)
            uart_send(uart, (char)value);
        break;
    case UART_INTERRUPT_ENABLE:
        if (has_divisor)
            uart->divisor_high = value;
        else
            uart->interrupt_enable = value & INTERRUPT_ENABLE_BITS;
        break;
    case UART_FIFO_CONTROL:
        uart->fifo_enabled = (value & 1) != 0;
        break;
    case UART_LINE_CONTROL:
        uart->line_control = value;
        break;
    case UART_MODEM_CONTROL:
        uart->modem_control = value & MODEM_CONTROL_BITS;
        break;
    case UART_SCRATCH:
        uart->scratch = value;
        break;
    default: /* status registers */
        break;
    }
}

static uint32_t read(void *device, uint16_t port, uint8_t size)
{
    (void)size;
    return read_register(device, port % 8);
}

static enum exit_outcome write(void *device, struct vcpu *vcpu, uint16_t port,
                               uint8_t size, uint32_t value)
{
    (void)vcpu;
    (void)size;
    write_register(device, port % 8, (uint8_t)value);
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
