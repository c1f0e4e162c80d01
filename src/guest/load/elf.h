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
    uint64_t segments_offset, sections_offset;
    uint16_t segment_count, segment_size;
    uint16_t section_count, section_size; /* 0 sections if their headers are invalid */
    uint16_t names;                       /* the section with the sections' names */
    uint64_t displacement; /* from the linked to the loaded addresses, modulo 2^64 */
};

/* Reads the header. False if this is not an ELF file for x86 with segments. */
bool elf_open(struct image_bytes bytes, struct elf_file *file);

/* Returns the segment with that index, below segment_count; physical is displaced. */
struct elf_segment elf_segment(const struct elf_file *file, uint16_t index);

/*
 * Returns the size of all notes that are within the file, in bytes: more than the file's
 * only if they overlap.
 */
uint64_t elf_notes_size(const struct elf_file *file);

/*
 * Loads all segments to their physical addresses and raises the loader's floor to their
 * end. False, with the reason, if one is not within the file or the guest's RAM, or if
 * they overlap so much that their memory sizes sum to more than that RAM: the time that
 * loading takes is bounded by it.
 */
bool elf_load(const struct elf_file *file, struct loader *loader);

/*
 * Finds the physical memory between the first and the last loaded segment, before its
 * displacement. False if there is none.
 */
bool elf_extent(const struct elf_file *file, uint64_t *start, uint64_t *end);

/* Translates a virtual address by its segment; returns it unchanged if it has none. */
uint64_t elf_physical(const struct elf_file *file, uint64_t virtual);

/* Returns the size of all section headers, and of the symbol and string tables. */
uint64_t elf_section_headers_size(const struct elf_file *file);
uint64_t elf_symbols_size(const struct elf_file *file);

/*
 * Writes the section headers, and the symbol and string tables that no segment contains,
 * with their addresses in the headers. Multiboot2 Specification 2.0, "ELF-Symbols". False
 * if they are not within the guest's RAM.
 */
bool elf_write_sections(const struct elf_file *file, const struct guest_memory *memory,
                        uint64_t headers, uint64_t symbols);

#endif
