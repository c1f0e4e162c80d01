/*
 * The registers of a 16550A UART, and the I/O ports of the UARTs in a PC.
 *
 * National Semiconductor PC16550D data sheet, "Registers".
 */
#ifndef HYMIR_X86_UART_16550_H
#define HYMIR_X86_UART_16550_H

#define UART_COM1 0x3F8
#define UART_COM2 0x2F8
#define UART_COM3 0x3E8
#define UART_COM4 0x2E8

enum uart_register {
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

#define INTERRUPT_ENABLE_RECEIVED     0x01U
#define INTERRUPT_ENABLE_SENT         0x02U
#define INTERRUPT_ENABLE_LINE_STATUS  0x04U
#define INTERRUPT_ENABLE_MODEM_STATUS 0x08U
#define INTERRUPT_ENABLE_BITS         0x0FU

/* Data sheet, table "Interrupt Control Functions". */
enum interrupt_id {
    ID_MODEM_STATUS = 0x00,
    ID_NONE         = 0x01,
    ID_SENT         = 0x02,
    ID_RECEIVED     = 0x04,
    ID_LINE_STATUS  = 0x06,
    ID_TIME_OUT     = 0x0C,
};
#define ID_FIFO 0xC0U /* FIFOs are enabled */

#define FIFO_SIZE              16U
#define FIFO_ENABLE            0x01U
#define FIFO_CLEAR_RECEIVER    0x02U
#define FIFO_CLEAR_TRANSMITTER 0x04U
#define FIFO_CONTROL_KEPT      0xC9U
#define FIFO_TRIGGER(control)  ((control) >> 6)

#define LINE_CONTROL_8N1  0x03U
#define LINE_CONTROL_DLAB 0x80U

#define MODEM_CONTROL_DTR       0x01U
#define MODEM_CONTROL_RTS       0x02U
#define MODEM_CONTROL_OUT1      0x04U
#define MODEM_CONTROL_INTERRUPT 0x08U /* OUT2: connects the interrupt output */
#define MODEM_CONTROL_LOOPBACK  0x10U
#define MODEM_CONTROL_BITS      0x1FU

#define LINE_STATUS_RECEIVED      0x01U
#define LINE_STATUS_OVERRUN       0x02U
#define LINE_STATUS_HOLDING_EMPTY 0x20U
#define LINE_STATUS_ALL_SENT      0x40U
#define LINE_STATUS_TRANSMITTER   (LINE_STATUS_HOLDING_EMPTY | LINE_STATUS_ALL_SENT)

#define MODEM_STATUS_READY 0xB0U /* DCD, DSR, CTS */
#define MODEM_STATUS_RING  0x40U

#endif
