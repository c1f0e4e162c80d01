/* See serial.h. */
#include "console/serial.h"

#include "cpu/instructions.h"
#include "cpu/percpu.h"
#include "lib/byte_queue.h"
#include "lib/spinlock.h"
#include "mm/address_space.h"
#include "mm/device_registers.h"
#include "platform/clock.h"

static struct serial_port current;
static uint16_t found_divisor; /* of the port, before it was first initialized */
static bool is_present;

/* Received bytes that have not been read yet. The lock also guards the queue. */
#define FIFO_SIZE_MAX 128 /* bytes, of any compatible UART */
static uint8_t received_bytes[4096];
static struct {
    struct spinlock lock;
    struct byte_queue queue;
    atomic_uint lost;     /* overruns, of this queue and of the UART */
    void (*notify)(void); /* NULL if reception is off */
} received = {.queue = {.bytes = received_bytes, .size = sizeof(received_bytes)}};

/* One CPU's view of whether the UART sends: the TSCs of CPUs may differ. */
struct progress {
    unsigned int taken; /* from the queue, at the start of the deadline */
    struct deadline deadline;
};

/* Bytes to send. The lock is held to fill one FIFO, longer only if the queue is full. */
static uint8_t sending_bytes[SERIAL_QUEUE_SIZE];
static struct {
    struct spinlock lock;
    struct byte_queue queue;
    bool is_in_background; /* later than the call, by serial_continue */
    unsigned int fifo_size;
    struct progress progress; /* as the boot CPU sees it in the background */
} sending = {.queue = {.bytes = sending_bytes, .size = sizeof(sending_bytes)}};

static uint8_t port_read(const struct serial_port *from, enum uart_register offset)
{
    uint64_t address = from->address + (uint64_t)offset * from->stride;

    return from->space == SERIAL_SPACE_IO ? io_in8((uint16_t)address)
                                          : (uint8_t)device_read(address, from->width);
}

static void port_write(const struct serial_port *to, enum uart_register offset,
                       uint8_t value)
{
    uint64_t address = to->address + (uint64_t)offset * to->stride;

    if (to->space == SERIAL_SPACE_IO)
        io_out8((uint16_t)address, value);
    else
        device_write(address, to->width, value);
}

static uint8_t read_register(enum uart_register offset)
{
    return port_read(&current, offset);
}

static void write_register(enum uart_register offset, uint8_t value)
{
    port_write(&current, offset, value);
}

/*
 * Detects a UART by its interrupt enable register, whose low four bits are writable. In
 * memory, what is written there could be read back without a UART: then the interrupt
 * identification is the FIFO control's value, in which no interrupt is pending.
 */
static bool detect_uart(const struct serial_port *at)
{
    if (port_read(at, UART_LINE_STATUS) == UINT8_MAX)
        return false; /* all ones: nothing there */
    port_write(at, UART_LINE_CONTROL, LINE_CONTROL_8N1);
    port_write(at, UART_INTERRUPT_ENABLE, INTERRUPT_ENABLE_BITS);
    uint8_t all = port_read(at, UART_INTERRUPT_ENABLE);
    port_write(at, UART_INTERRUPT_ENABLE, 0);
    uint8_t none = port_read(at, UART_INTERRUPT_ENABLE);
    if (all != INTERRUPT_ENABLE_BITS || none != 0)
        return false;
    if (at->space == SERIAL_SPACE_IO)
        return true;
    port_write(at, UART_FIFO_CONTROL, 0);
    return (port_read(at, UART_INTERRUPT_ID) & ID_NONE) != 0;
}

enum status serial_probe(const struct serial_port *candidate)
{
    if (candidate->space == SERIAL_SPACE_MEMORY &&
        address_space_map_device(candidate->address,
                                 (uint64_t)UART_REGISTERS * candidate->stride) == NULL)
        return STATUS_OUT_OF_RANGE;
    return detect_uart(candidate) ? STATUS_OK : STATUS_NOT_FOUND;
}

/* Returns the divisor for a port's speed. */
static uint16_t choose_divisor(const struct serial_port *wanted)
{
    uint16_t divisor = serial_port_divisor(wanted);
    return divisor != 0 ? divisor : found_divisor;
}

/* Sets the speed, and 8N1. */
static void set_speed(bool is_first)
{
    write_register(UART_LINE_CONTROL, LINE_CONTROL_DLAB | LINE_CONTROL_8N1);
    if (is_first)
        found_divisor = (uint16_t)(read_register(UART_DATA) |
                                   read_register(UART_INTERRUPT_ENABLE) << 8);
    uint16_t divisor = choose_divisor(&current);
    write_register(UART_DATA, (uint8_t)divisor);
    write_register(UART_INTERRUPT_ENABLE, (uint8_t)(divisor >> 8));
    write_register(UART_LINE_CONTROL, LINE_CONTROL_8N1);
}

bool serial_init(const struct serial_port *new_port)
{
    bool is_same = serial_port_is_same(&current, new_port);

    current    = *new_port;
    is_present = serial_probe(&current) == STATUS_OK;
    if (!is_present)
        return false;
    set_speed(!is_same);
    write_register(UART_FIFO_CONTROL,
                   FIFO_ENABLE | FIFO_CLEAR_RECEIVER | FIFO_CLEAR_TRANSMITTER);
    write_register(UART_MODEM_CONTROL, MODEM_CONTROL_DTR | MODEM_CONTROL_RTS);
    bool has_fifo     = (read_register(UART_INTERRUPT_ID) & ID_FIFO) == ID_FIFO;
    sending.fifo_size = has_fifo ? FIFO_SIZE : 1;
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
        if (byte_queue_room(&received.queue) > 0)
            byte_queue_put(&received.queue, byte);
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

const struct serial_port *serial_get_port(void)
{
    return &current;
}

bool serial_is_using(const struct serial_port *other)
{
    return is_present && serial_port_is_same(&current, other) &&
           choose_divisor(&current) == choose_divisor(other);
}

/* Reports bytes drained while sending, which no longer raise an interrupt. */
static void notify_received(void)
{
    if (received.notify != NULL && byte_queue_length(&received.queue) > 0)
        received.notify();
}

static struct progress progress_start(void)
{
    return (struct progress){atomic_load(&sending.queue.taken),
                             deadline_in(SERIAL_TIMEOUT_US)};
}

/* Stops using a UART that does not send in time. */
static void abandon_if_stuck(struct progress *progress)
{
    if (progress->taken != atomic_load(&sending.queue.taken)) {
        *progress = progress_start();
    } else if (deadline_has_passed(&progress->deadline)) {
        is_present = false;
        byte_queue_clear(&sending.queue);
    }
}

/* Fills the UART's FIFO from the queue if it is empty. The caller holds the lock. */
static void fill_fifo(void)
{
    uint8_t byte;

    if (byte_queue_length(&sending.queue) == 0 ||
        (line_status_poll() & LINE_STATUS_HOLDING_EMPTY) == 0)
        return;
    for (unsigned int i = 0;
         i < sending.fifo_size && byte_queue_take(&sending.queue, &byte); i++)
        write_register(UART_DATA, byte);
}

/* Waits until at most length bytes are queued. The caller holds the lock. */
static void reduce_queue(size_t length)
{
    struct progress progress = progress_start();

    while (byte_queue_length(&sending.queue) > length) {
        fill_fifo();
        abandon_if_stuck(&progress);
    }
}

/* Adds a byte to the queue. The caller holds the lock. */
static void send_byte(uint8_t byte)
{
    if (byte_queue_room(&sending.queue) == 0)
        reduce_queue(SERIAL_QUEUE_SIZE - 1);
    if (is_present)
        byte_queue_put(&sending.queue, byte);
}

/* Starts sending the queue, or sends it. The caller holds the lock. */
static void send_queue(void)
{
    if (sending.is_in_background)
        fill_fifo();
    else
        reduce_queue(0);
}

void serial_send(const uint8_t *bytes, size_t size)
{
    unsigned int ticket = spinlock_acquire(&sending.lock);

    for (size_t i = 0; i < size; i++)
        send_byte(bytes[i]);
    send_queue();
    spinlock_release(&sending.lock, ticket);
    notify_received();
}

void serial_write(const char *text, size_t length)
{
    unsigned int ticket = spinlock_acquire(&sending.lock);

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            send_byte('\r');
        send_byte((uint8_t)text[i]);
    }
    send_queue();
    spinlock_release(&sending.lock, ticket);
    notify_received();
}

/* Enables interrupts; they reach the interrupt controller only where that is known. */
static void enable_interrupts(uint8_t interrupts)
{
    if (current.interrupt != SERIAL_NO_INTERRUPT)
        write_register(UART_MODEM_CONTROL,
                       MODEM_CONTROL_DTR | MODEM_CONTROL_RTS | MODEM_CONTROL_INTERRUPT);
    write_register(UART_INTERRUPT_ENABLE, interrupts);
}

void serial_send_in_background(void)
{
    if (!is_present)
        return;
    sending.progress         = progress_start();
    sending.is_in_background = true;
    enable_interrupts(read_register(UART_INTERRUPT_ENABLE) | INTERRUPT_ENABLE_SENT);
}

void serial_continue(void)
{
    unsigned int ticket = spinlock_acquire(&sending.lock);

    fill_fifo();
    if (this_cpu() == &boot_cpu && byte_queue_length(&sending.queue) > 0)
        abandon_if_stuck(&sending.progress);
    spinlock_release(&sending.lock, ticket);
}

void serial_finish(void)
{
    unsigned int end         = atomic_load(&sending.queue.written);
    struct progress progress = progress_start();

    while (is_present && (int)(end - atomic_load(&sending.queue.taken)) > 0) {
        serial_continue();
        abandon_if_stuck(&progress);
    }
}

size_t serial_queued(void)
{
    return byte_queue_length(&sending.queue);
}

bool serial_has_interrupt(void)
{
    return is_present && (read_register(UART_INTERRUPT_ID) & ID_NONE) == 0;
}

bool serial_start_receiving(uint32_t *interrupt, void (*notify)(void))
{
    if (!is_present)
        return false;
    enable_interrupts(INTERRUPT_ENABLE_RECEIVED);
    *interrupt      = current.interrupt;
    received.notify = notify;
    return true;
}

bool serial_receive(uint8_t *byte)
{
    unsigned int ticket = spinlock_acquire(&received.lock);

    if (is_present)
        receive_bytes();
    bool has_byte = byte_queue_take(&received.queue, byte);
    spinlock_release(&received.lock, ticket);
    return has_byte;
}

unsigned int serial_lost(void)
{
    return atomic_load(&received.lost);
}

void serial_drain(void)
{
    unsigned int ticket = spinlock_acquire(&sending.lock);

    sending.is_in_background = false;
    reduce_queue(0);
    struct progress progress = progress_start();
    while (is_present && (line_status_poll() & LINE_STATUS_ALL_SENT) == 0)
        abandon_if_stuck(&progress);
    spinlock_release(&sending.lock, ticket);
}
