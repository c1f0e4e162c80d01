/*
 * The Multiboot2 header of a guest's kernel: where it is to be loaded and entered.
 *
 * Multiboot2 Specification 2.0, "OS image format". Pure; every length is checked. A tag
 * that Hymir cannot honour is an error, unless its flags say that it is optional.
 */
#ifndef HYMIR_GUEST_LOAD_MULTIBOOT2_HEADER_H
#define HYMIR_GUEST_LOAD_MULTIBOOT2_HEADER_H

#include "guest/load/elf.h"

struct multiboot2_header {
    uint64_t offset; /* in the file */
    bool has_addresses, has_entry, is_relocatable;
    struct load_addresses addresses;
    uint32_t entry;
    uint32_t lowest, highest, alignment, preference; /* if relocatable */
};

/* Finds the offset of the header for i386. False if there is none. */
bool multiboot2_header_find(struct image_bytes kernel, uint64_t *offset);

/* Reads the header that a kernel has. False, with the reason, if it is unusable. */
bool multiboot2_header_read(const struct loader *loader,
                            struct multiboot2_header *header);

/*
 * Chooses the address, at least 1 MiB, of a relocatable kernel of size bytes, linked for
 * the address start. False, with the reason, if none is within the guest's RAM.
 */
bool multiboot2_header_place(const struct multiboot2_header *header,
                             const struct loader *loader, uint64_t start, uint64_t size,
                             uint64_t *address);

#endif
