/*
 * Reads the EFI configuration table, which locates SMBIOS and ACPI.
 *
 * UEFI Specification 2.10, "EFI System Table", "EFI Configuration Table & Properties
 * Table". 64-bit firmware only. Calls no services; see efi_boot.h.
 */
#ifndef HYMIR_FIRMWARE_EFI_H
#define HYMIR_FIRMWARE_EFI_H

#include "firmware/physical.h"
#include "lib/status.h"

#include <stdint.h>

#define EFI_SYSTEM_TABLE_SIGNATURE UINT64_C(0x5453595320494249) /* "IBI SYST" */

/* Physical addresses; 0 if absent. */
struct efi_tables {
    uint64_t smbios_64; /* SMBIOS entry points */
    uint64_t smbios_32;
    uint64_t rsdp; /* ACPI 2.0 or later */
};

/* Reads the tables of the system table at a physical address. STATUS_MALFORMED. */
enum status MUST_CHECK efi_find_tables(uint64_t system_table, physical_map *map,
                                       struct efi_tables *tables);

#endif
