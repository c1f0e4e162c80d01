/*
 * Reads the names of the machine and its firmware from SMBIOS.
 *
 * DMTF DSP0134, "System Management BIOS (SMBIOS) Reference Specification" 3.6, "SMBIOS
 * structures", types 0 and 1. Every length is checked; reading stops at invalid data.
 */
#ifndef HYMIR_FIRMWARE_SMBIOS_H
#define HYMIR_FIRMWARE_SMBIOS_H

#include "firmware/physical.h"
#include "lib/status.h"

#include <stdint.h>

#define SMBIOS_TEXT_SIZE 49

/* Trimmed strings of printable ASCII, cut with three dots to fit; "" if absent. */
struct smbios {
    char manufacturer[SMBIOS_TEXT_SIZE];
    char product[SMBIOS_TEXT_SIZE];
    char firmware_vendor[SMBIOS_TEXT_SIZE];
    char firmware_version[SMBIOS_TEXT_SIZE];
};

/* Reads the structures of the entry point at a physical address. STATUS_MALFORMED. */
enum status MUST_CHECK smbios_read(uint64_t entry_point, physical_map *map,
                                   struct smbios *smbios);

/* Searches the low memory of a BIOS machine for an entry point. STATUS_NOT_FOUND. */
enum status MUST_CHECK smbios_scan_low_memory(physical_map *map, struct smbios *smbios);

#endif
