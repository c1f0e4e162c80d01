/*
 * Reads the DMA Remapping Reporting table (DMAR), which lists the VT-d units.
 *
 * Intel VT-d, "BIOS Considerations", "DMA Remapping Reporting Structure". Pure.
 */
#ifndef HYMIR_FIRMWARE_ACPI_DMAR_H
#define HYMIR_FIRMWARE_ACPI_DMAR_H

#include "firmware/acpi.h"

#include <stddef.h>
#include <stdint.h>

/* Writes the physical addresses of at most capacity units to addresses. */
struct acpi_listing acpi_list_units(const struct acpi_view *dmar, uint64_t *addresses,
                                    size_t capacity);

#endif
