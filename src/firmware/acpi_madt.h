/*
 * The Multiple APIC Description Table: which CPUs there are.
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

#endif
