/* See serial.h. */
#include "console/serial.h"

#include "cpu/instructions.h"
#include "lib/bits.h"
#include "lib/spinlock.h"

#include <stdatomic.h>

#define DIVISOR_115200 1

static uint16_t base;
static bool is_present;

/* What has arrived and was not asked for yet. */
#define RECEIVED_SIZE 4096 /* bytes, a power of two */
static struct {
    struct spinlock lock;
    uint8_t bytes[RECEIVED_SIZE];
    unsigned int written, taken; /* bytes ever; modulo RECEIVED_SIZE, where */
    atomic_uint lost;            /* for want of room, here or in the UART */
    void (*tell)(void);          /* NULL: nobody has asked for any */
} received;

static uint8_t read_register(enum uart_register offset)
{
    return io_in8((uint16_t)(base + offset));
}

static void write_register(enum uart_register offset, uint8_t value)
{
    io_out8((uint16_t)(base + offset), value);
}

/*
 * The interrupt enable register has four bits that read back as written; where nothing
 * answers, all reads give the same.
 */
static bool probe(void)
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
    is_present = probe();
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

/* With the lock: takes what the UART holds, at most as much as the largest FIFO. */
static void take_received(void)
{
    for (int i = 0; i < 128; i++) {
        uint8_t status = read_register(UART_LINE_STATUS);
        if (status == UINT8_MAX) /* no UART any more */
            return;
        if ((status & LINE_STATUS_OVERRUN) != 0)
            atomic_fetch_add(&received.lost, 1);
        if ((status & LINE_STATUS_RECEIVED) == 0)
            return;
        uint8_t byte = read_register(UART_DATA);
        if (received.written - received.taken < RECEIVED_SIZE)
            received.bytes[received.written++ % RECEIVED_SIZE] = byte;
        else
            atomic_fetch_add(&received.lost, 1);
    }
}

/*
 * Reads the line's status; what has arrived meanwhile is taken, because the FIFO holds
 * only 1.4 ms of it, and sending takes longer.
 */
static uint8_t read_status(void)
{
    uint8_t status = read_register(UART_LINE_STATUS);

    if (received.tell == NULL || status == UINT8_MAX)
        return status;
    if ((status & LINE_STATUS_OVERRUN) != 0)
        atomic_fetch_add(&received.lost, 1);
    if ((status & LINE_STATUS_RECEIVED) != 0) {
        unsigned int ticket = spinlock_acquire(&received.lock);
        take_received();
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
        if ((read_status() & bit) != 0)
            return true;
    }
    return false;
}

/* What was taken while something was sent has no interrupt of its own any more. */
static void tell_of_received(void)
{
    if (received.tell != NULL && received.written != received.taken)
        received.tell();
}

static void send(uint8_t byte)
{
    if (is_present && !wait_for_status(LINE_STATUS_HOLDING_EMPTY))
        is_present = false; /* stuck: each further character would cost as long a wait */
    if (is_present)
        write_register(UART_DATA, byte);
}

void serial_send(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        send(bytes[i]);
    tell_of_received();
}

bool serial_start_receiving(uint8_t *interrupt, void (*tell)(void))
{
    static const struct {
        uint16_t port;
        uint8_t interrupt;
    } irqs[] = {{UART_COM1, 4}, {UART_COM2, 3}, {UART_COM3, 4}, {UART_COM4, 3}};

    for (size_t i = 0; is_present && i < ARRAY_SIZE(irqs); i++) {
        if (irqs[i].port != base)
            continue;
        *interrupt = irqs[i].interrupt;
        write_register(UART_MODEM_CONTROL,
                       MODEM_CONTROL_DTR | MODEM_CONTROL_RTS | MODEM_CONTROL_INTERRUPT);
        write_register(UART_INTERRUPT_ENABLE, INTERRUPT_ENABLE_RECEIVED);
        received.tell = tell;
        return true;
    }
    return false;
}

bool serial_receive(uint8_t *byte)
{
    unsigned int ticket = spinlock_acquire(&received.lock);

    if (is_present)
        take_received();
    bool has_byte = received.written != received.taken;
    if (has_byte)
        *byte = received.bytes[received.taken++ % RECEIVED_SIZE];
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
            send('\r');
        send((uint8_t)text[i]);
    }
    tell_of_received();
}

void serial_drain(void)
{
    if (is_present)
        (void)wait_for_status(LINE_STATUS_ALL_SENT);
}
