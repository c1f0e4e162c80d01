/*
 * The Multiboot2 boot information, as the boot loader passes it: Multiboot2 Specification
 * 2.0, "Boot information format".
 *
 * In lib/ because firmware/ parses what GRUB passes to Hymir and guest/ writes what Hymir
 * passes to its guests, and neither may include the other.
 */
#ifndef HYMIR_LIB_MULTIBOOT2_H
#define HYMIR_LIB_MULTIBOOT2_H

#include <stdint.h>

/* The value of EAX at entry; EBX has the physical address of the structure. */
#define MULTIBOOT2_MAGIC 0x36D76289

enum multiboot2_tag_type {
    TAG_END            = 0,
    TAG_COMMAND_LINE   = 1,
    TAG_LOADER_NAME    = 2,
    TAG_MODULE         = 3,
    TAG_BASIC_MEMORY   = 4,
    TAG_BOOT_DEVICE    = 5,
    TAG_MEMORY_MAP     = 6,
    TAG_VBE            = 7,
    TAG_FRAMEBUFFER    = 8,
    TAG_ELF_SECTIONS   = 9,
    TAG_APM            = 10,
    TAG_EFI_32         = 11,
    TAG_EFI_64         = 12,
    TAG_SMBIOS         = 13,
    TAG_ACPI_OLD       = 14,
    TAG_ACPI_NEW       = 15,
    TAG_NETWORK        = 16,
    TAG_EFI_MEMORY_MAP = 17,
    TAG_EFI_SERVICES   = 18, /* boot services not terminated */
    TAG_EFI_IMAGE_32   = 19,
    TAG_EFI_IMAGE_64   = 20,
    TAG_LOAD_BASE      = 21,
};

struct information_header {
    uint32_t total_size;
    uint32_t reserved;
};

struct tag {
    uint32_t type;
    uint32_t size; /* with this header, without padding to TAG_ALIGNMENT */
};
#define TAG_ALIGNMENT 8

struct module_tag {
    struct tag tag;
    uint32_t start, end;
    /* the command line */
};

struct memory_map_tag {
    struct tag tag;
    uint32_t entry_size, entry_version;
    /* the entries */
};

struct memory_map_entry {
    uint64_t start, size;
    uint32_t type, reserved;
};
_Static_assert(sizeof(struct memory_map_entry) == 24, "Multiboot2, memory map");

struct elf_sections_tag {
    struct tag tag;
    uint32_t count, entry_size, names_index;
    /* the section headers */
};
_Static_assert(sizeof(struct elf_sections_tag) == 20, "Multiboot2, ELF-symbols");

#endif
