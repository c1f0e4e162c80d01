/*
 * Reads the Multiple APIC Description Table: the CPUs, and the routing of ISA interrupts.
 *
 * ACPI 6.5, "Multiple APIC Description Table (MADT)". Pure.
 */
#ifndef HYMIR_FIRMWARE_ACPI_MADT_H
#define HYMIR_FIRMWARE_ACPI_MADT_H

#include "firmware/acpi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes the APIC IDs of the enabled CPUs to apic_ids, at most capacity, in table order
 * without duplicates.
 */
struct acpi_listing acpi_list_cpus(const struct acpi_view *madt, uint32_t *apic_ids,
                                   size_t capacity);

/* An I/O APIC input, with the polarity and trigger mode of its interrupt. */
struct acpi_interrupt {
    uint64_t io_apic; /* physical address of the registers */
    uint32_t input;
    bool is_active_low, is_level; /* otherwise active high, edge-triggered, as on ISA */
};

/* Finds the input of an ISA interrupt, 0 to 15. STATUS_NOT_FOUND without an I/O APIC. */
enum status MUST_CHECK acpi_find_interrupt(const struct acpi_view *madt,
                                           uint8_t interrupt,
                                           struct acpi_interrupt *found);

#endif
