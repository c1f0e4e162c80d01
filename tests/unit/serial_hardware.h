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

/* Replaces src/mm: so do accesses to memory, once it is mapped. */
#define HYMIR_MM_ADDRESS_SPACE_H
#define HYMIR_MM_DEVICE_REGISTERS_H
static volatile void *address_space_map_device(uint64_t physical, uint64_t size);
static uint32_t device_read(uint64_t address, unsigned int width);
static void device_write(uint64_t address, unsigned int width, uint32_t value);

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
    struct serial_port place;
    bool is_present;
    bool is_ram;         /* what is written is read, and nothing else happens */
    uint64_t mapped;     /* bytes */
    uint8_t contents[8]; /* of RAM */
    bool is_stuck;       /* never ready to send */
    bool has_fifo;       /* 16 bytes, sent by send_fifo */
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

/* Returns the register at an address, or -1 if the UART is not there. */
static int register_at(enum serial_space space, uint64_t address)
{
    uint64_t offset = address - uart.place.address;

    time_us++;
    if (!uart.is_present || space != uart.place.space || address < uart.place.address ||
        offset >= 8U * uart.place.stride)
        return -1;
    assert_int_equal(offset % uart.place.stride, 0);
    return (int)(offset / uart.place.stride);
}

static uint8_t read_uart(int offset)
{
    bool has_divisor = (uart.line_control & 0x80) != 0;

    uart.reads++;
    if (uart.is_ram && offset >= 0)
        return uart.contents[offset];
    switch (offset) {
    case 0:
        if (has_divisor)
            return uart.divisor_low;
        assert_true(*uart.arriving != '\0');
        return (uint8_t)*uart.arriving++;
    case 1:
        return has_divisor ? uart.divisor_high : uart.interrupt_enable;
    case 2:
        return uart.has_fifo ? 0xC1 : 1;
    case 5:
        return read_line_status();
    default:
        return offset < 0 ? 0xFF : 0;
    }
}

static void write_uart(int offset, uint8_t value)
{
    bool has_divisor = (uart.line_control & 0x80) != 0;
    uart.writes++;
    if (uart.is_ram && offset >= 0) {
        uart.contents[offset] = value;
        return;
    }
    switch (offset) {
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

static uint8_t io_in8(uint16_t port)
{
    return read_uart(register_at(SERIAL_SPACE_IO, port));
}

static void io_out8(uint16_t port, uint8_t value)
{
    write_uart(register_at(SERIAL_SPACE_IO, port), value);
}

#define RAM_START UINT64_C(0x100000)
#define RAM_END   UINT64_C(0x10000000)

static volatile void *address_space_map_device(uint64_t physical, uint64_t size)
{
    if (physical < RAM_END && physical + size > RAM_START)
        return NULL;
    uart.mapped += size;
    return (volatile void *)(uintptr_t)physical;
}

static uint32_t device_read(uint64_t address, unsigned int width)
{
    assert_int_equal(uart.mapped, 8U * uart.place.stride);
    assert_int_equal(width, uart.place.width);
    return 0xABCDEF00U | read_uart(register_at(SERIAL_SPACE_MEMORY, address));
}

static void device_write(uint64_t address, unsigned int width, uint32_t value)
{
    assert_int_equal(uart.mapped, 8U * uart.place.stride);
    assert_int_equal(width, uart.place.width);
    assert_true(value <= UINT8_MAX);
    write_uart(register_at(SERIAL_SPACE_MEMORY, address), (uint8_t)value);
}

/* Initializes the UART at an I/O port, which has one. */
static bool init_at(uint16_t address)
{
    const struct serial_port at = serial_port_at(address);

    uart.place = at;
    return serial_init(&at);
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
    current                  = (struct serial_port){0};
    uart.place               = serial_port_at(PORT);
    uart.arriving            = "";
    uart.is_present          = true;
    uart.divisor_low         = 0xA5;
    uart.divisor_high        = 0xA5;
    return 0;
}

#endif
