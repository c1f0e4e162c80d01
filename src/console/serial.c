/* See serial.h. */
#include "console/serial.h"

#include "cpu/instructions.h"
#include "lib/bits.h"
#include "lib/spinlock.h"

#include <stdatomic.h>

#define DIVISOR_115200 1

static uint16_t base;
static bool is_present;

/* Received bytes that have not been read yet. */
#define RECEIVED_SIZE 4096 /* bytes, a power of two */
#define FIFO_SIZE_MAX 128  /* bytes, of any compatible UART */
static struct {
    struct spinlock lock;
    uint8_t bytes[RECEIVED_SIZE];
    unsigned int written, read; /* total bytes; modulo RECEIVED_SIZE, positions */
    atomic_uint lost;           /* overruns, of this buffer and of the UART */
    void (*notify)(void);       /* NULL if reception is off */
} received;

static uint8_t read_register(enum uart_register offset)
{
    return io_in8((uint16_t)(base + offset));
}

static void write_register(enum uart_register offset, uint8_t value)
{
    io_out8((uint16_t)(base + offset), value);
}

/* Detects a UART by its interrupt enable register, whose low four bits are writable. */
static bool probe_uart(void)
{
    write_register(UART_LINE_CONTROL, LINE_CONTROL_8N1);
    write_register(UART_INTERRUPT_ENABLE, INTERRUPT_ENABLE_BITS);
    uint8_t all = read_register(UART_INTERRUPT_ENABLE);
    write_register(UART_INTERRUPT_ENABLE, 0);
    uint8_t none = read_register(UART_INTERRUPT_ENABLE);
    return all == INTERRUPT_ENABLE_BITS && none == 0;
}

bool serial_init(uint16_t port)
{
    base       = port;
    is_present = probe_uart();
    if (!is_present)
        return false;
    write_register(UART_LINE_CONTROL, LINE_CONTROL_DLAB | LINE_CONTROL_8N1);
    write_register(UART_DATA, DIVISOR_115200 & 0xFF);
    write_register(UART_INTERRUPT_ENABLE, DIVISOR_115200 >> 8);
    write_register(UART_LINE_CONTROL, LINE_CONTROL_8N1);
    write_register(UART_FIFO_CONTROL,
                   FIFO_ENABLE | FIFO_CLEAR_RECEIVER | FIFO_CLEAR_TRANSMITTER);
    write_register(UART_MODEM_CONTROL, MODEM_CONTROL_DTR | MODEM_CONTROL_RTS);
    return true;
}

/* Reads the line status, counting an overrun if reception is on. */
static uint8_t line_status_read(void)
{
    uint8_t status = read_register(UART_LINE_STATUS);

    if (received.notify != NULL && status != UINT8_MAX &&
        (status & LINE_STATUS_OVERRUN) != 0)
        atomic_fetch_add(&received.lost, 1);
    return status;
}

/* Moves bytes from the UART's FIFO to the buffer. The caller holds the lock. */
static void receive_bytes(void)
{
    for (int i = 0; i < FIFO_SIZE_MAX; i++) {
        uint8_t status = line_status_read();
        if (status == UINT8_MAX || (status & LINE_STATUS_RECEIVED) == 0)
            return; /* all ones: the UART has disappeared */
        uint8_t byte = read_register(UART_DATA);
        if (received.written - received.read < RECEIVED_SIZE)
            received.bytes[received.written++ % RECEIVED_SIZE] = byte;
        else
            atomic_fetch_add(&received.lost, 1);
    }
}

/*
 * Reads the line status and drains the receive FIFO: sending can take longer than the
 * 1.4 ms in which the FIFO fills.
 */
static uint8_t line_status_poll(void)
{
    uint8_t status = line_status_read();

    if (received.notify != NULL && status != UINT8_MAX &&
        (status & LINE_STATUS_RECEIVED) != 0) {
        unsigned int ticket = spinlock_acquire(&received.lock);
        receive_bytes();
        spinlock_release(&received.lock, ticket);
    }
    return status;
}

bool serial_is_present(void)
{
    return is_present;
}

static bool wait_for_status(uint8_t bit)
{
    for (uint32_t i = 0; i < SERIAL_WAIT_READS; i++) {
        if ((line_status_poll() & bit) != 0)
            return true;
    }
    return false;
}

/* Reports bytes drained while sending, which no longer raise an interrupt. */
static void notify_received(void)
{
    if (received.notify != NULL && received.written != received.read)
        received.notify();
}

static void send_byte(uint8_t byte)
{
    if (is_present && !wait_for_status(LINE_STATUS_HOLDING_EMPTY))
        is_present = false; /* timed out, as would every further byte */
    if (is_present)
        write_register(UART_DATA, byte);
}

void serial_send(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        send_byte(bytes[i]);
    notify_received();
}

bool serial_start_receiving(uint8_t *interrupt, void (*notify)(void))
{
    bool is_irq_4 = base == UART_COM1 || base == UART_COM3;

    if (!is_present || (!is_irq_4 && base != UART_COM2 && base != UART_COM4))
        return false;
    *interrupt = is_irq_4 ? 4 : 3;
    write_register(UART_MODEM_CONTROL,
                   MODEM_CONTROL_DTR | MODEM_CONTROL_RTS | MODEM_CONTROL_INTERRUPT);
    write_register(UART_INTERRUPT_ENABLE, INTERRUPT_ENABLE_RECEIVED);
    received.notify = notify;
    return true;
}

bool serial_receive(uint8_t *byte)
{
    unsigned int ticket = spinlock_acquire(&received.lock);

    if (is_present)
        receive_bytes();
    bool has_byte = received.written != received.read;
    if (has_byte)
        *byte = received.bytes[received.read++ % RECEIVED_SIZE];
    spinlock_release(&received.lock, ticket);
    return has_byte;
}

unsigned int serial_lost(void)
{
    return atomic_load(&received.lost);
}

void serial_write(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            send_byte('\r');
        send_byte((uint8_t)text[i]);
    }
    notify_received();
}

void serial_drain(void)
{
    if (is_present)
        (void)wait_for_status(LINE_STATUS_ALL_SENT);
}
