/*
 * What the loaders of all image formats share: guest/load/pvh.c, multiboot1.c, linux.c.
 *
 * Places everything but the kernel from the end of the guest's RAM downward.
 */
#ifndef HYMIR_GUEST_LOAD_LOADER_H
#define HYMIR_GUEST_LOAD_LOADER_H

#include "guest/load/image.h"

/* The part of the guest's RAM that is still free. */
struct image_room {
    struct guest_memory *memory;
    uint64_t bottom; /* the lowest allocated address */
    uint64_t floor;  /* the end of the kernel, below which nothing is allocated */
};

/* An image format. load is called only for images that is_format accepts. */
struct image_loader {
    const char *kind;
    bool (*is_format)(struct image_bytes kernel);
    bool (*load)(const struct image_parts *parts, struct image_room *room,
                 struct vcpu_start *start, struct text *problem);
};

extern const struct image_loader pvh_loader, multiboot1_loader, linux_loader;

/* Allocates size bytes, aligned to a page. False, with the reason, if they do not fit. */
bool image_room_allocate(struct image_room *room, uint64_t size, const char *what,
                         gpa_t *address, struct text *problem);

/* Allocates room for data and copies it there; sets *address to 0 if data is empty. */
bool image_room_add(struct image_room *room, struct image_bytes data, const char *what,
                    gpa_t *address, struct text *problem);

/* Adds the initrd, if there is one, and the command line. */
bool image_room_add_parts(struct image_room *room, const struct image_parts *parts,
                          gpa_t *initrd, gpa_t *command_line, struct text *problem);

/*
 * The guest's memory map: RAM, except for the area of a PC's firmware below 1 MiB. The
 * types are those of ACPI 6.5, "Address Range Types", which all boot protocols use.
 */
#define IMAGE_RANGES        3
#define IMAGE_LOW_END       UINT64_C(0x9FC00)
#define IMAGE_HIGH_START    UINT64_C(0x100000)
#define IMAGE_TYPE_RAM      1U
#define IMAGE_TYPE_RESERVED 2U
struct image_range {
    uint64_t start, size;
    uint32_t type, reserved;
};
void image_map_memory(struct image_range map[IMAGE_RANGES], uint64_t memory_size);

/*
 * Sets *start to 32-bit protected mode with flat segments and paging off, which all boot
 * protocols use. False, with the reason, if entry is beyond the guest's RAM.
 */
bool image_start_flat(const struct image_room *room, uint64_t entry,
                      struct vcpu_start *start, struct text *problem);

#endif
