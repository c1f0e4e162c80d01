/*
 * What the boot loader tells: the Multiboot2 information structure, taken apart.
 *
 * Pure: reads the bytes it is given and nothing else. Every length is checked; a broken
 * tag ends the walk and leaves what came before. Multiboot2 Specification 2.0, "Boot
 * information format".
 */
#ifndef HYMIR_FIRMWARE_MULTIBOOT2_H
#define HYMIR_FIRMWARE_MULTIBOOT2_H

#include "lib/framebuffer.h"
#include "lib/status.h"
#include "mm/memory_map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In EAX at the kernel's entry, with the physical address of the structure in EBX. */
#define MULTIBOOT2_MAGIC 0x36D76289

/* The structure is never larger than this; a size beyond it is taken for garbage. */
#define MULTIBOOT2_MAX_SIZE 0x1000000

#define MULTIBOOT2_MAX_MODULES 32

struct multiboot2_module {
    uint64_t start; /* physical, inclusive */
    uint64_t end;   /* physical, exclusive; not below start */
    const char *command_line;
};

#define RSDP_MAX_SIZE 36

/*
 * Pointers lead into the structure, which must stay where it is as long as they are used.
 */
struct multiboot2_information {
    const uint8_t *structure;
    uint32_t size;            /* of the whole structure, in bytes */
    uint32_t tags_end;        /* where its sound tags end, in bytes */
    const char *command_line; /* never NULL, NUL-terminated */
    const char *loader_name;  /* the same */

    /*
     * The memory map: memory_map_count entries of memory_map_entry_size bytes. NULL if
     * there is none.
     */
    const uint8_t *memory_map;
    size_t memory_map_count, memory_map_entry_size;

    size_t module_count;    /* in module[] */
    size_t modules_dropped; /* no room for them, or the end below the start */
    struct multiboot2_module module[MULTIBOOT2_MAX_MODULES];

    struct framebuffer framebuffer;

    /*
     * A copy of the RSDP, the newer one if there are two; rsdp_size is 0 if there is
     * none.
     */
    uint8_t rsdp[RSDP_MAX_SIZE];
    size_t rsdp_size;

    /* The 64-bit EFI system table, or 0. */
    uint64_t efi_system_table;
    bool is_efi; /* any EFI tag: the machine was booted by UEFI */
    /* UEFI's own memory map: see efi_boot.h. NULL if there is none. */
    const uint8_t *efi_memory_map;
    size_t efi_memory_map_size, efi_descriptor_size;

    /* The section headers of Hymir's own ELF file. NULL if there are none. */
    const uint8_t *elf_sections;
    size_t elf_section_count, elf_section_entry_size;
};

/*
 * Takes the structure apart that lies in readable_size readable bytes. STATUS_MALFORMED
 * if not even the header makes sense, *information is then untouched. A broken tag or a
 * missing end is logged, and what came before it counts.
 */
enum status MUST_CHECK multiboot2_parse(const void *structure, size_t readable_size,
                                        struct multiboot2_information *information);

/* Calls visit with [start, end) of each module, also of those that found no room. */
void multiboot2_visit_modules(const struct multiboot2_information *information,
                              void (*visit)(uint64_t start, uint64_t end));

/* Adds the entries of the loader's memory map. STATUS_NOT_FOUND if it gave none. */
enum status MUST_CHECK multiboot2_memory_map(
    const struct multiboot2_information *information, struct memory_entries *entries);

/* Where the symbols of Hymir's ELF file and their names lie in memory. */
struct multiboot2_symbols {
    uint64_t symbols, symbols_size;
    uint64_t names, names_size;
};

/*
 * Finds the sections with Hymir's symbols, which the loader put into memory below 4 GiB.
 * STATUS_NOT_FOUND if the file was stripped or the loader gave none. The ranges do not
 * wrap around; nobody has checked that they are memory.
 */
enum status MUST_CHECK multiboot2_find_symbols(
    const struct multiboot2_information *information, struct multiboot2_symbols *symbols);

#endif
