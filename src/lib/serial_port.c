/* See serial_port.h. */
#include "lib/serial_port.h"

#include "lib/bits.h"

/* PC16550D, "Programmable Baud Generator": the clock is 16 times the speed. */
#define CLOCKS_PER_BIT 16U

struct serial_port serial_port_at(uint64_t address)
{
    static const struct {
        uint16_t address;
        uint8_t interrupt;
    } known[]               = {{0x3F8, 4}, {0x2F8, 3}, {0x3E8, 4}, {0x2E8, 3}};
    struct serial_port port = {.space     = SERIAL_SPACE_IO,
                               .stride    = 1,
                               .width     = 1,
                               .address   = address,
                               .baud      = SERIAL_BAUD,
                               .clock_hz  = UART_CLOCK_HZ,
                               .interrupt = SERIAL_NO_INTERRUPT};

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (known[i].address == address)
            port.interrupt = known[i].interrupt;
    }
    return port;
}

struct serial_port serial_port_in_memory(uint64_t address, uint8_t stride)
{
    return (struct serial_port){.space     = SERIAL_SPACE_MEMORY,
                                .stride    = stride,
                                .width     = stride < 4 ? stride : 4,
                                .address   = address,
                                .baud      = SERIAL_BAUD_AS_IS,
                                .interrupt = SERIAL_NO_INTERRUPT};
}

/* Returns whether the registers overlap one of the address ranges of a space. */
static bool is_excluded(enum serial_space space, uint64_t start, uint64_t last)
{
    static const struct {
        enum serial_space space;
        uint64_t first, last;
    } excluded[] = {
        {SERIAL_SPACE_IO, 0x000, 0x0FF}, /* DMA, 8259A, 8254, 8042, CMOS */
        {SERIAL_SPACE_IO, 0x170, 0x177}, /* ATA */
        {SERIAL_SPACE_IO, 0x1F0, 0x1F7},
        {SERIAL_SPACE_IO, 0x370, 0x377},
        {SERIAL_SPACE_IO, 0x3B0, 0x3DF}, /* VGA */
        {SERIAL_SPACE_IO, 0x3F0, 0x3F7}, /* floppy disk, ATA */
        {SERIAL_SPACE_IO, 0xCF8, 0xCFF}, /* PCI configuration, reset control */
        {SERIAL_SPACE_IO, 0x10000, UINT64_MAX},
        {SERIAL_SPACE_MEMORY, 0, 0xFFFFF},             /* VGA, ROMs */
        {SERIAL_SPACE_MEMORY, 0xFEC00000, 0xFECFFFFF}, /* I/O APICs */
        {SERIAL_SPACE_MEMORY, 0xFED00000, 0xFED03FFF}, /* HPETs */
        {SERIAL_SPACE_MEMORY, 0xFED40000, 0xFED44FFF}, /* TPM */
        {SERIAL_SPACE_MEMORY, 0xFEE00000, 0xFEEFFFFF}, /* local APIC, MSIs */
        {SERIAL_SPACE_MEMORY, 0xFF000000, 0xFFFFFFFF}, /* firmware's ROM */
    };

    for (size_t i = 0; i < ARRAY_SIZE(excluded); i++) {
        if (excluded[i].space == space && last >= excluded[i].first &&
            start <= excluded[i].last)
            return true;
    }
    return false;
}

static bool is_power_of_two(unsigned int value, unsigned int most)
{
    return value != 0 && value <= most && (value & (value - 1)) == 0;
}

bool serial_port_is_possible(const struct serial_port *port)
{
    uint64_t size = (uint64_t)UART_REGISTERS * port->stride;

    if (!is_power_of_two(port->stride, 8) || !is_power_of_two(port->width, 4) ||
        port->width > port->stride || port->address > UINT64_MAX - size)
        return false;
    if (port->space == SERIAL_SPACE_IO && port->stride != 1)
        return false;
    return is_aligned(port->address, UART_REGISTERS) &&
           !is_excluded(port->space, port->address, port->address + size - 1);
}

bool serial_port_is_same(const struct serial_port *one, const struct serial_port *other)
{
    return one->space == other->space && one->address == other->address;
}

uint16_t serial_port_divisor(const struct serial_port *port)
{
    uint64_t clocks = (uint64_t)port->baud * CLOCKS_PER_BIT;

    if (clocks == 0)
        return 0;
    uint64_t divisor = (port->clock_hz + clocks / 2) / clocks;
    uint64_t result  = divisor * clocks;
    uint64_t error =
        result > port->clock_hz ? result - port->clock_hz : port->clock_hz - result;
    if (divisor == 0 || divisor > UINT16_MAX || error * 100 > result * 3)
        return 0;
    return (uint16_t)divisor;
}

void serial_port_describe(const struct serial_port *port, struct text *text)
{
    text_append(text, "%s 0x%lx",
                port->space == SERIAL_SPACE_IO ? "I/O port" : "memory address",
                port->address);
}
