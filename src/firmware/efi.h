/*
 * The EFI configuration table: where UEFI firmware keeps SMBIOS and ACPI.
 *
 * UEFI Specification 2.10, "EFI System Table", "EFI Configuration Table & Properties
 * Table". Only 64-bit firmware. No service is called: see efi_boot.h.
 */
#ifndef HYMIR_FIRMWARE_EFI_H
#define HYMIR_FIRMWARE_EFI_H

#include "firmware/physical.h"
#include "lib/status.h"

#include <stdint.h>

#define EFI_SYSTEM_TABLE_SIGNATURE UINT64_C(0x5453595320494249) /* "IBI SYST" */

/* Physical addresses, each 0 if the firmware has no such table. */
struct efi_tables {
    uint64_t smbios_64; /* the entry points of SMBIOS */
    uint64_t smbios_32;
    uint64_t rsdp; /* of ACPI 2.0 or later */
};

/* Reads the tables of the system table at a physical address. STATUS_MALFORMED. */
enum status MUST_CHECK efi_find_tables(uint64_t system_table, physical_map *map,
                                       struct efi_tables *tables);

#endif
