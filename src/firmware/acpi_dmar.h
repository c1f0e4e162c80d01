/*
 * The DMA Remapping Reporting table: where the VT-d units are.
 *
 * Intel VT-d, "BIOS Considerations", "DMA Remapping Reporting Structure". Pure.
 */
#ifndef HYMIR_FIRMWARE_ACPI_DMAR_H
#define HYMIR_FIRMWARE_ACPI_DMAR_H

#include "firmware/acpi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The units of a DMAR, in its order. */
struct acpi_units {
    size_t count;
    size_t dropped; /* for which there was no room in addresses */
    bool is_broken; /* an entry made no sense: what came behind it was not read */
};

/*
 * Writes the physical addresses of the units' registers to addresses, capacity of them at
 * the most.
 */
struct acpi_units acpi_list_units(const struct acpi_view *dmar, uint64_t *addresses,
                                  size_t capacity);

#endif
