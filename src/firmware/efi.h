/*
 * UEFI firmware: reads the configuration table, which locates SMBIOS and ACPI, and
 * selects the entry that boots next with the variable services of 64-bit firmware
 * (efi_variables.h), the only services that Hymir calls.
 *
 * UEFI 2.10, "EFI System Table", "EFI Configuration Table & Properties Table", "EFI
 * Runtime Services Table", "Variable Services", "Boot Manager". Pure except for calls
 * through the caller's function.
 */
#ifndef HYMIR_FIRMWARE_EFI_H
#define HYMIR_FIRMWARE_EFI_H

#include "firmware/physical.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EFI_SYSTEM_TABLE_SIGNATURE UINT64_C(0x5453595320494249) /* "IBI SYST" */

/* Physical addresses; 0 if absent. */
struct efi_tables {
    uint64_t smbios_64; /* SMBIOS entry points */
    uint64_t smbios_32;
    uint64_t rsdp; /* ACPI 2.0 or later */
};

/*
 * Reads the tables of the system table, of 32-bit or 64-bit firmware, at a physical
 * address. STATUS_MALFORMED.
 */
enum status MUST_CHECK efi_find_tables(uint64_t system_table, bool is_32_bit,
                                       physical_map *map, struct efi_tables *tables);

/* A region of memory or of a device that firmware may use in a runtime service. */
struct efi_region {
    uint64_t start, size; /* physical, in whole pages; does not wrap around */
    bool is_device;       /* must be mapped uncached */
};
typedef enum status efi_visit_region(const struct efi_region *region);

/*
 * Calls visit for each runtime region, and each of EfiACPIMemoryNVS, which firmware owns
 * and requests no mapping for, of the UEFI memory map: size bytes of descriptors of
 * descriptor_size bytes each. Returns its first failure. STATUS_MALFORMED if the map is
 * invalid or has more than EFI_MAX_REGIONS such regions; real maps have about 20. UEFI
 * 2.10, "Memory Type Usage after EFI_BOOT_SERVICES.ExitBootServices()", "x64 Platforms".
 */
#define EFI_MAX_REGIONS 256
enum status MUST_CHECK efi_visit_runtime(const void *map, size_t size,
                                         size_t descriptor_size, efi_visit_region *visit);

/* The physical addresses of the services. */
struct efi_services {
    uint64_t get_variable, set_variable;
    uint64_t query_variable_info; /* 0 before UEFI 2.0 */
};

/* Finds the services of the 64-bit system table at an address. STATUS_MALFORMED. */
enum status MUST_CHECK efi_find_services(uint64_t system_table, physical_map *map,
                                         struct efi_services *services);

/* The arguments and results of service calls; must be mapped at its physical address. */
#define EFI_DATA_SIZE 2048
struct efi_exchange {
    uint8_t guid[16];
    uint16_t name[16];
    uint64_t size;
    uint32_t attributes;
    uint64_t info[3]; /* from QueryVariableInfo */
    uint8_t data[EFI_DATA_SIZE];
};

/* Calls a service with five arguments; returns its EFI_STATUS. */
#define EFI_ARGUMENTS 5
typedef uint64_t efi_call(uint64_t service, const uint64_t arguments[EFI_ARGUMENTS]);

/*
 * Sets BootNext to the entry after BootCurrent in BootOrder, wrapping around, or to the
 * first entry if BootCurrent is not set. Skips inactive entries, applications such as the
 * firmware setup, and entries larger than EFI_DATA_SIZE. *entry is the number, as in
 * Boot0004. STATUS_NOT_FOUND if no other entry is bootable; STATUS_UNSUPPORTED if a
 * service fails.
 */
enum status MUST_CHECK efi_boot_next(const struct efi_services *services, efi_call *call,
                                     struct efi_exchange *exchange, uint16_t *entry);

#endif
