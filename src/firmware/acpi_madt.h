/*
 * The Multiple APIC Description Table: which CPUs there are, and where
 * interrupts arrive.
 *
 * ACPI 6.5, "Multiple APIC Description Table (MADT)". Pure.
 */
#ifndef HYMIR_FIRMWARE_ACPI_MADT_H
#define HYMIR_FIRMWARE_ACPI_MADT_H

#include "firmware/acpi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The enabled CPUs of a MADT, in its order, each once. */
struct acpi_cpus {
    size_t count;
    size_t dropped; /* enabled CPUs for which there was no room in apic_ids */
    bool is_broken; /* an entry made no sense: what came behind it was not read */
};

/* Writes the APIC IDs of the enabled CPUs to apic_ids, capacity of them at the most. */
struct acpi_cpus acpi_list_cpus(const struct acpi_view *madt, uint32_t *apic_ids,
                                size_t capacity);

/* An input of an I/O APIC, and how an interrupt arrives there. */
struct acpi_interrupt {
    uint64_t io_apic; /* the physical address of its registers */
    uint32_t input;
    bool is_active_low, is_level; /* else active high, edge-triggered, as ISA has it */
};

/*
 * Where the ISA interrupt, 0 to 15, of a PC arrives. STATUS_NOT_FOUND if no I/O APIC has
 * it.
 */
enum status MUST_CHECK acpi_find_interrupt(const struct acpi_view *madt,
                                           uint8_t interrupt,
                                           struct acpi_interrupt *found);

#endif
