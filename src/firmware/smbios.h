/*
 * The machine's name, from SMBIOS.
 *
 * DMTF DSP0134, "System Management BIOS (SMBIOS) Reference Specification" 3.6, "SMBIOS
 * structures", types 0 and 1. Every length is checked; what makes no sense ends the walk.
 */
#ifndef HYMIR_FIRMWARE_SMBIOS_H
#define HYMIR_FIRMWARE_SMBIOS_H

#include "firmware/physical.h"
#include "lib/status.h"

#include <stdint.h>

#define SMBIOS_TEXT_SIZE 49

/*
 * Strings in printable ASCII, cut to fit, without blanks at the ends; "" if the machine
 * has none.
 */
struct smbios {
    char manufacturer[SMBIOS_TEXT_SIZE];
    char product[SMBIOS_TEXT_SIZE];
    char firmware_vendor[SMBIOS_TEXT_SIZE];
    char firmware_version[SMBIOS_TEXT_SIZE];
};

/*
 * Reads the structures that the entry point at a physical address leads to.
 * STATUS_MALFORMED.
 */
enum status MUST_CHECK smbios_read(uint64_t entry_point, physical_map *map,
                                   struct smbios *smbios);

/* Looks for an entry point in the low memory where a BIOS has it. STATUS_NOT_FOUND. */
enum status MUST_CHECK smbios_scan_low_memory(physical_map *map, struct smbios *smbios);

#endif
