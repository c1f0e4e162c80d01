/*
 * The I/O APIC: which interrupts of the machine's devices arrive where.
 *
 * Intel 82093AA data sheet; newer ones have more inputs and are used alike. The registers
 * are the caller's to map, uncached, at their own address.
 */
#ifndef HYMIR_PLATFORM_IO_APIC_H
#define HYMIR_PLATFORM_IO_APIC_H

#include "lib/status.h"
#include "x86/io_apic.h"

#include <stdbool.h>
#include <stdint.h>

/* An input, and how interrupts arrive at it. */
struct io_apic_input {
    volatile uint32_t *registers;
    uint32_t number;
    bool is_active_low, is_level;
};

/*
 * Lets the input's interrupts through to the CPU with the APIC ID, with the vector.
 * STATUS_OUT_OF_RANGE if there is no such input, or an ID above 255.
 */
enum status MUST_CHECK io_apic_enable(const struct io_apic_input *input, uint8_t vector,
                                      uint32_t apic_id);

#endif
