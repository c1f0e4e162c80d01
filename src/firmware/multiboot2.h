/*
 * Parses the Multiboot2 boot information.
 *
 * Pure. Every length is checked; parsing stops at a malformed tag and keeps all earlier
 * ones. Multiboot2 Specification 2.0, "Boot information format".
 */
#ifndef HYMIR_FIRMWARE_MULTIBOOT2_H
#define HYMIR_FIRMWARE_MULTIBOOT2_H

#include "lib/framebuffer.h"
#include "lib/status.h"
#include "mm/memory_map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest structure accepted. */
#define MULTIBOOT2_MAX_SIZE 0x1000000

#define MULTIBOOT2_MAX_MODULES 32

struct multiboot2_module {
    uint64_t start; /* physical, inclusive */
    uint64_t end;   /* physical, exclusive; not below start */
    const char *command_line;
};

#define RSDP_MAX_SIZE 36

/* Pointers refer into the structure, which must remain in place while they are used. */
struct multiboot2_information {
    const uint8_t *structure;
    uint32_t size;            /* of the whole structure, in bytes */
    uint32_t tags_end;        /* end of the valid tags, in bytes */
    const char *command_line; /* NUL-terminated, never NULL */
    const char *loader_name;  /* NUL-terminated, never NULL */

    /* memory_map_count entries of memory_map_entry_size bytes; NULL if absent. */
    const uint8_t *memory_map;
    size_t memory_map_count, memory_map_entry_size;

    size_t module_count;    /* in module[] */
    size_t modules_dropped; /* beyond MULTIBOOT2_MAX_MODULES, or invalid */
    struct multiboot2_module module[MULTIBOOT2_MAX_MODULES];

    struct framebuffer framebuffer;

    /* A copy of the RSDP, the newer one of two; rsdp_size is 0 if absent. */
    uint8_t rsdp[RSDP_MAX_SIZE];
    size_t rsdp_size;

    uint64_t efi_system_table; /* physical; 0 if absent */
    bool is_efi_32_bit;        /* the system table is that of 32-bit UEFI */
    bool is_efi;               /* any EFI tag: the machine was booted by UEFI */
    /* The UEFI memory map, see efi.h; NULL if absent. */
    const uint8_t *efi_memory_map;
    size_t efi_memory_map_size, efi_descriptor_size;

    /* The section headers of Hymir's ELF file; NULL if absent. */
    const uint8_t *elf_sections;
    size_t elf_section_count, elf_section_entry_size;
};

/*
 * Parses the structure, readable for readable_size bytes. STATUS_MALFORMED if its
 * header is invalid. Malformed tags and a missing end tag are logged.
 */
enum status MUST_CHECK multiboot2_parse(const void *structure, size_t readable_size,
                                        struct multiboot2_information *information);

/* Calls visit with [start, end) of each module, including dropped ones. */
void multiboot2_visit_modules(const struct multiboot2_information *information,
                              void (*visit)(uint64_t start, uint64_t end));

/* Adds the loader's memory map to *map. STATUS_NOT_FOUND if absent or empty. */
enum status MUST_CHECK multiboot2_memory_map(
    const struct multiboot2_information *information, struct memory_map *map);

/* The physical addresses and sizes of the symbol and string sections. */
struct multiboot2_symbols {
    uint64_t symbols, symbols_size;
    uint64_t names, names_size;
};

/*
 * Finds Hymir's symbols, which the loader placed below 4 GiB. STATUS_NOT_FOUND if the
 * file is stripped or the loader passed none. The ranges do not wrap around, but are not
 * checked to be memory.
 */
enum status MUST_CHECK multiboot2_find_symbols(
    const struct multiboot2_information *information, struct multiboot2_symbols *symbols);

#endif
