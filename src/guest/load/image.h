/*
 * A guest's kernel image: recognised by its bytes, loaded into the guest's RAM.
 *
 * Pure: reads the image and writes guest memory. Every number in an image is checked
 * before it is followed; an image that makes no sense is refused in one line, and the
 * guest is then never started.
 */
#ifndef HYMIR_GUEST_LOAD_IMAGE_H
#define HYMIR_GUEST_LOAD_IMAGE_H

#include "guest/memory.h"
#include "lib/format.h"
#include "virt/backend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of Hymir's memory. */
struct image_bytes {
    const uint8_t *bytes;
    size_t size;
};

/* What a guest is made of. */
struct image_parts {
    struct image_bytes kernel;
    struct image_bytes initrd; /* size 0 without one */
    const char *command_line;
};

/*
 * Loads a guest and fills in where it starts; *kind is the image's kind in a word. False,
 * with the reason appended to *problem.
 */
bool image_load(const struct image_parts *parts, struct guest_memory *memory,
                struct vcpu_start *start, const char **kind, struct text *problem);

/* ---- For the loaders of each kind: guest/load/elf.h, pvh.c, multiboot1.c, linux.c */

/* Where a loader puts what is not the kernel: from the end of RAM down. */
struct image_room {
    struct guest_memory *memory;
    uint64_t bottom; /* the lowest address given away */
    uint64_t floor;  /* the end of the kernel, which must not be reached */
};

/* Takes size bytes, at a multiple of a page. False, with the reason, if they overlap. */
bool image_room_take(struct image_room *room, uint64_t size, const char *what,
                     gpa_t *address, struct text *problem);

/*
 * Takes room for data and copies it there; *address is 0 if there is none (size 0).
 */
bool image_room_put(struct image_room *room, struct image_bytes data, const char *what,
                    gpa_t *address, struct text *problem);

/*
 * The memory map that a guest is told: RAM, but for what a PC's firmware has below 1 MiB.
 * The types are those of ACPI 6.5, "Address Range Types", which all protocols take over.
 */
#define IMAGE_RANGES        3
#define IMAGE_LOW_END       UINT64_C(0x9FC00)
#define IMAGE_HIGH_START    UINT64_C(0x100000)
#define IMAGE_TYPE_RAM      1U
#define IMAGE_TYPE_RESERVED 2U
struct image_range {
    uint64_t start, size;
    uint32_t type;
};
void image_map_memory(struct image_range map[IMAGE_RANGES], uint64_t memory_size);

/* 32-bit protected mode with flat segments, paging off, as all boot protocols have it.
 */
struct vcpu_start image_start_flat(uint32_t entry);

bool pvh_recognises(struct image_bytes kernel, uint64_t *entry);
bool pvh_load(const struct image_parts *parts, uint64_t entry, struct image_room *room,
              struct vcpu_start *start, struct text *problem);
bool linux_recognises(struct image_bytes kernel);
bool linux_load(const struct image_parts *parts, struct image_room *room,
                struct vcpu_start *start, struct text *problem);
bool multiboot1_recognises(struct image_bytes kernel);
bool multiboot1_load(const struct image_parts *parts, struct image_room *room,
                     struct vcpu_start *start, struct text *problem);

#endif
