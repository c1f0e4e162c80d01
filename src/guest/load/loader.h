/*
 * Common functions of the image loaders: guest/load/pvh.c, multiboot1.c, multiboot2.c,
 * linux.c.
 *
 * Places everything but the kernel from the end of the guest's RAM downward.
 */
#ifndef HYMIR_GUEST_LOAD_LOADER_H
#define HYMIR_GUEST_LOAD_LOADER_H

#include "guest/load/image.h"
#include "x86/pc_bios.h"

/* A module in the guest's RAM, with guest-physical addresses. */
struct loaded_module {
    uint64_t start, size, string;
};

/* The state of loading an image. The RAM from floor to bottom is free. */
struct loader {
    const struct image_parts *parts;
    struct guest_memory *memory; /* zeroed */
    struct vcpu_start *start;
    struct text *problem; /* gets the reason for a failure */
    uint64_t bottom;      /* the lowest allocated address */
    uint64_t floor;       /* the end of the kernel, 1 MiB at least */
    gpa_t command_line;
    size_t module_count;
    struct loaded_module module[IMAGE_MODULES]; /* the first is the initrds, if any */
};

/* Appends the reason for a failure and evaluates to false. */
#define LOADER_FAIL(loader, ...) TEXT_FAIL((loader)->problem, __VA_ARGS__)

/* An image format. load is called only for images that is_format accepts. */
struct image_format {
    const char *kind;
    bool (*is_format)(struct image_bytes kernel);
    bool (*load)(struct loader *loader);
};

extern const struct image_format pvh_format, multiboot1_format, multiboot2_format,
    linux_format;

/* Returns whether an image contains all of size bytes at an offset. */
static inline bool image_contains(struct image_bytes image, uint64_t offset,
                                  uint64_t size)
{
    return offset <= image.size && size <= image.size - offset;
}

/* Allocates size bytes, aligned to a page. False, with the reason, if they do not fit. */
bool loader_allocate(struct loader *loader, uint64_t size, const char *what,
                     gpa_t *address);

/* Allocates memory as above, and writes size bytes of data to it. */
bool loader_add(struct loader *loader, const void *data, uint64_t size, const char *what,
                gpa_t *address);

/* Adds initrds, modules, command line and strings, and sets their addresses. */
bool loader_add_parts(struct loader *loader);

/* Returns the string of loader->module[index]. */
const char *loader_module_string(const struct loader *loader, size_t index);

/*
 * The addresses of a file that is loaded as one piece, from the Multiboot header of
 * either version: of the header and of the parts loaded and cleared.
 */
struct load_addresses {
    uint64_t header, load;
    uint64_t load_end; /* 0: the end of the file */
    uint64_t bss_end;  /* 0: load_end */
};

/*
 * Finds the piece of the file, whose header is at an offset, that is loaded, and the end
 * of the memory that it needs. False, with the reason, if it is not within the file.
 */
bool loader_find_piece(const struct loader *loader,
                       const struct load_addresses *addresses, uint64_t offset,
                       struct image_bytes *piece, uint64_t *end);

/*
 * Loads a piece of the file to an address and raises the floor to the end of the memory
 * that it needs. False, with the reason, if that is beyond the guest's RAM.
 */
bool loader_add_piece(struct loader *loader, struct image_bytes piece, uint64_t address,
                      uint64_t end);

/*
 * The guest's memory map: RAM, except for the area of a PC's firmware below 1 MiB. The
 * types are those of ACPI 6.5, "Address Range Types", which all boot protocols use.
 */
#define IMAGE_RANGES        3
#define IMAGE_LOW_END       ((uint64_t)PC_EBDA_START)
#define IMAGE_HIGH_START    UINT64_C(0x100000)
#define IMAGE_TYPE_RAM      1U
#define IMAGE_TYPE_RESERVED 2U
struct __attribute__((packed)) image_range {
    uint64_t start, size;
    uint32_t type;
};

/* Writes the map's IMAGE_RANGES ranges; distance: bytes from one to the next. */
void loader_map_memory(const struct loader *loader, void *ranges, size_t distance);

/*
 * Sets the start state to 32-bit protected mode with flat segments and paging off, which
 * all boot protocols use. False, with the reason, if entry is beyond the guest's RAM.
 */
bool loader_start_flat(const struct loader *loader, uint64_t entry);

#endif
