/*
 * The parts of ELF-64 that Hymir reads: System V ABI, "Object Files", chapters "Sections"
 * and "Symbol Table". tests/oracle compares every number and offset with <elf.h>.
 */
#ifndef HYMIR_LIB_ELF_H
#define HYMIR_LIB_ELF_H

#include <stdint.h>

struct elf64_section {
    uint32_t name;
    uint32_t type;
    uint64_t flags;
    uint64_t address;
    uint64_t offset;
    uint64_t size;
    uint32_t link;
    uint32_t info;
    uint64_t alignment;
    uint64_t entry_size;
};
_Static_assert(sizeof(struct elf64_section) == 64, "System V ABI, section header");

struct elf64_symbol {
    uint32_t name;
    uint8_t info; /* the type in bits 3:0 */
    uint8_t other;
    uint16_t section;
    uint64_t value;
    uint64_t size;
};
_Static_assert(sizeof(struct elf64_symbol) == 24, "System V ABI, symbol table entry");

enum {
    ELF_SECTION_SYMBOL_TABLE = 2,
    ELF_SECTION_STRING_TABLE = 3,
    ELF_SECTION_RESERVED     = 0xFF00, /* the first special index, such as SHN_ABS */
    ELF_SYMBOL_TYPE_NONE     = 0,
    ELF_SYMBOL_TYPE_FUNCTION = 2,
};

#endif
