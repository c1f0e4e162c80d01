/*
 * A serial port: where the registers of a UART are, and how to drive it.
 *
 * Pure. What the options, firmware's tables and PCI say, for the driver
 * (console/serial.h).
 */
#ifndef HYMIR_LIB_SERIAL_PORT_H
#define HYMIR_LIB_SERIAL_PORT_H

#include "lib/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_REGISTERS      8U
#define UART_CLOCK_HZ       1843200U /* of a PC's UARTs */
#define SERIAL_BAUD         115200U  /* unless something else is known */
#define SERIAL_BAUD_AS_IS   0U
#define SERIAL_NO_INTERRUPT UINT32_MAX

enum serial_space {
    SERIAL_SPACE_IO,
    SERIAL_SPACE_MEMORY,
};

struct serial_port {
    enum serial_space space;
    uint8_t stride;     /* bytes from a register to the next: 1, 2, 4 or 8; ports: 1 */
    uint8_t width;      /* bytes of an access, at most stride: 1, 2 or 4 */
    uint64_t address;   /* of the first register */
    uint32_t baud;      /* SERIAL_BAUD_AS_IS: as firmware left it */
    uint32_t clock_hz;  /* of the UART; 0 if unknown */
    uint32_t interrupt; /* ISA 0 to 15, other global system interrupts, or none */
};

/*
 * Returns the UART at I/O ports address to address + 7, with a PC's clock, at 115200
 * baud; at the addresses of COM1 to COM4 with their interrupt.
 */
struct serial_port serial_port_at(uint64_t address);

/* Returns the UART at a memory address; its clock and interrupt are unknown. */
struct serial_port serial_port_in_memory(uint64_t address, uint8_t stride);

/*
 * Returns whether a UART can be there: false if the layout is not as above, if the
 * address is misaligned, or for devices of the mainboard, where to look for a UART could
 * do damage. Whether the memory is RAM is not known here.
 */
bool serial_port_is_possible(const struct serial_port *port);

/* Returns whether the registers of two ports are in the same place. */
bool serial_port_is_same(const struct serial_port *one, const struct serial_port *other);

/*
 * Returns the divisor for the port's speed, or 0 if it must stay as it is: the speed or
 * the clock is not known, or the clock does not yield the speed within 3 %.
 */
uint16_t serial_port_divisor(const struct serial_port *port);

/* Appends the place of the port, for display. */
void serial_port_describe(const struct serial_port *port, struct text *text);

#endif
