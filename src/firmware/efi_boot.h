/*
 * Which entry UEFI firmware boots next: told by its variables, through the only services
 * that Hymir ever calls.
 *
 * UEFI 2.10, "EFI Runtime Services Table", "Variable Services", "Boot Manager". Only
 * 64-bit firmware. Pure but for the call, which is the caller's.
 */
#ifndef HYMIR_FIRMWARE_EFI_BOOT_H
#define HYMIR_FIRMWARE_EFI_BOOT_H

#include "firmware/physical.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of memory, or of a device, that firmware needs for its runtime services. */
struct efi_region {
    uint64_t start, size; /* physical, in whole pages; does not wrap around */
    bool is_device;       /* not to be cached */
};
typedef enum status efi_visit_region(const struct efi_region *region);

/*
 * Calls visit for each such region of firmware's memory map, size bytes of descriptors of
 * descriptor_size bytes each, until it fails. STATUS_MALFORMED of a map that makes no
 * sense, or has more than EFI_MAX_REGIONS of them; real ones have some twenty.
 */
#define EFI_MAX_REGIONS 256
enum status MUST_CHECK efi_visit_runtime(const void *map, size_t size,
                                         size_t descriptor_size, efi_visit_region *visit);

/* Where the services are, as physical addresses. */
struct efi_services {
    uint64_t get_variable, set_variable;
};

/* Finds them by the system table at a physical address. STATUS_MALFORMED. */
enum status MUST_CHECK efi_find_services(uint64_t system_table, physical_map *map,
                                         struct efi_services *services);

/*
 * What is handed to firmware and comes back from it; at an address that is its physical
 * one, too.
 */
#define EFI_DATA_SIZE 2048
struct efi_exchange {
    uint8_t guid[16];
    uint16_t name[12];
    uint64_t size;
    uint32_t attributes;
    uint8_t data[EFI_DATA_SIZE];
};

/* Calls a service with five arguments; returns its EFI_STATUS. */
#define EFI_ARGUMENTS 5
typedef uint64_t efi_call(uint64_t service, const uint64_t arguments[EFI_ARGUMENTS]);

/*
 * Has firmware boot, once, the entry that follows the one it has booted now, in its
 * order, from the start again behind the end; if firmware does not say which that was,
 * the first. Entries that are switched off, that are larger than EFI_DATA_SIZE, and
 * applications, such as the setup, are none. *entry is its number, as in Boot0004.
 * STATUS_NOT_FOUND if there is no other; STATUS_UNSUPPORTED if a service fails.
 */
enum status MUST_CHECK efi_boot_next(const struct efi_services *services, efi_call *call,
                                     struct efi_exchange *exchange, uint16_t *entry);

#endif
