/*
 * ELF files as kernels: 32-bit and 64-bit, little-endian, for x86.
 *
 * System V ABI, "Object Files", "Program Loading". Pure; every offset is checked against
 * the end of the file.
 */
#ifndef HYMIR_GUEST_LOAD_ELF_H
#define HYMIR_GUEST_LOAD_ELF_H

#include "guest/load/loader.h"

#include <stdbool.h>
#include <stdint.h>

enum elf_segment_type {
    ELF_SEGMENT_LOAD = 1,
    ELF_SEGMENT_NOTE = 4,
};

/* A program header, in the order of the file. */
struct elf_segment {
    uint64_t type; /* bits 31:0 */
    uint64_t offset, virtual, physical, file_size, memory_size;
};

struct elf_file {
    struct image_bytes bytes;
    size_t word_size; /* 4 or 8 */
    uint64_t entry;
    uint64_t segments_offset;
    uint16_t segment_count, segment_size;
};

/* Reads the header. False if this is not an ELF file for x86 with segments. */
bool elf_open(struct image_bytes bytes, struct elf_file *file);

/* Returns the segment with that index, below segment_count. */
struct elf_segment elf_segment(const struct elf_file *file, uint16_t index);

/*
 * Loads all segments to their physical addresses and raises the loader's floor to their
 * end. False, with the reason, if one is not within the file or the guest's RAM.
 */
bool elf_load(const struct elf_file *file, struct loader *loader);

/* Translates a virtual address by its segment; returns it unchanged if it has none. */
uint64_t elf_physical(const struct elf_file *file, uint64_t virtual);

#endif
