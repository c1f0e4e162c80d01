/*
 * Segment registers with their hidden part, and the accesses that they permit.
 *
 * Pure. SDM 3A, "Segment Descriptors", "Limit Checking", "Type Checking".
 */
#ifndef HYMIR_VIRT_SEGMENT_H
#define HYMIR_VIRT_SEGMENT_H

#include "x86/descriptors.h"

#include <stdbool.h>
#include <stdint.h>

/* The segment registers: first those of instructions, by their number in them. */
enum segment_number {
    SEGMENT_ES,
    SEGMENT_CS,
    SEGMENT_SS,
    SEGMENT_DS,
    SEGMENT_FS,
    SEGMENT_GS,
    SEGMENT_LDTR,
    SEGMENT_TR,
    SEGMENT_COUNT,
};

/*
 * A segment register. The access rights are bits 55:40 of a descriptor, with
 * ACCESS_RIGHTS_UNUSABLE added: SDM 3C, "Guest Register State".
 */
struct vcpu_segment {
    uint16_t selector;
    uint32_t limit; /* in bytes, also with a granularity of 4 KiB */
    uint32_t access_rights;
    uint64_t base;
};

/* The bytes of an offset in code, which are also its default address size. */
enum code_size {
    CODE_16 = 2,
    CODE_32 = 4,
    CODE_64 = 8,
};

/*
 * Returns the size of code in a segment: SDM 3A, "Code- and Data-Segment Descriptor
 * Types", "IA-32e Mode Code Segment Descriptors".
 */
static inline enum code_size code_segment_size(uint32_t access_rights, bool is_long_mode)
{
    if (is_long_mode && (access_rights & CODE_SEGMENT_L) != 0)
        return CODE_64;
    return (access_rights & SEGMENT_BIG) != 0 ? CODE_32 : CODE_16;
}

/*
 * Returns whether the segment permits a read or write of size bytes at a linear address
 * that was computed with its base. 64-bit code has no limits and types, but its addresses
 * must be canonical.
 */
bool segment_permits(const struct vcpu_segment *segment, uint64_t linear, uint8_t size,
                     bool is_write);

/* The bits of a linear address, without and with CR4.LA57. */
#define LINEAR_WIDTH         48U
#define LINEAR_WIDTH_5_LEVEL 57U

/* SDM 1, "Canonical Addressing". */
static inline bool address_is_canonical(uint64_t address, unsigned int width)
{
    return (uint64_t)((int64_t)(address << (64 - width)) >> (64 - width)) == address;
}

#endif
