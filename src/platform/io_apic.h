/*
 * The I/O APIC: routing of device interrupts to CPUs.
 *
 * Intel 82093AA data sheet; newer I/O APICs only have more inputs. The caller maps the
 * registers, uncached and identity-mapped.
 */
#ifndef HYMIR_PLATFORM_IO_APIC_H
#define HYMIR_PLATFORM_IO_APIC_H

#include "lib/status.h"
#include "x86/io_apic.h"

#include <stdbool.h>
#include <stdint.h>

/* An input of an I/O APIC. */
struct io_apic_input {
    volatile uint32_t *registers;
    uint32_t number;
    bool is_active_low, is_level;
};

/*
 * Masks all inputs, except those that raise an SMI, and makes them edge-triggered, which
 * forgets a level that waits for an EOI. Returns how many were not masked.
 */
uint32_t io_apic_mask(volatile uint32_t *registers);

/*
 * Masks the first input that is not masked and has the vector; *input is its number.
 * STATUS_NOT_FOUND.
 */
enum status MUST_CHECK io_apic_mask_vector(volatile uint32_t *registers, uint8_t vector,
                                           uint32_t *input);

/*
 * Routes the input's interrupts to a CPU, by its APIC ID, on a vector.
 * STATUS_OUT_OF_RANGE if the input does not exist or the ID is above 255.
 */
enum status MUST_CHECK io_apic_enable(const struct io_apic_input *input, uint8_t vector,
                                      uint32_t apic_id);

#endif
