/*
 * Sanitizes the machine's memory map: sorted, without overlaps, within the address width.
 *
 * Pure; the caller owns the map. Firmware's entries may be unsorted, overlapping, empty,
 * out of range or too many. If entries overlap, the more restrictive type wins.
 */
#ifndef HYMIR_MM_MEMORY_MAP_H
#define HYMIR_MM_MEMORY_MAP_H

#include "lib/bits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory types, the least restrictive first. */
enum memory_type {
    MEMORY_USABLE,
    MEMORY_ABSENT,           /* in no entry: an entry of any type overrides it */
    MEMORY_ACPI_RECLAIMABLE, /* RAM with ACPI tables */
    MEMORY_ACPI_NVS,         /* RAM that firmware uses at run time */
    MEMORY_RESERVED,         /* reserved, or of unknown type */
    MEMORY_BAD,              /* defective RAM */
    MEMORY_TYPES,            /* how many there are */
};

struct memory_region {
    uint64_t start; /* bytes, inclusive */
    uint64_t end;   /* bytes, exclusive; above start */
    enum memory_type type;
};

/* The separate entries that every map has room for, and the regions that these make. */
#define MEMORY_MAP_ENTRIES 1024
#define MEMORY_MAP_REGIONS (2 * MEMORY_MAP_ENTRIES + 1)

/*
 * The regions from address 0 to the limit, each up to the start of the next; adjacent
 * ones differ in type. An entry adds at most two before they are merged or dropped.
 */
struct memory_map {
    size_t count;           /* of regions, at least 1 */
    size_t dropped;         /* regions that were too many: see memory_map_add */
    uint64_t dropped_bytes; /* usable memory in them */
    uint64_t limit;         /* addresses from here on do not exist */
    uint64_t region[MEMORY_MAP_REGIONS + 2]; /* the type in bits 63:56, and the start */
};

/* Initializes a map without entries. limit is above 0, and below 2^56. */
void memory_map_init(struct memory_map *map, uint64_t limit);

/*
 * Adds an entry of size bytes at start, truncated at the limit; ignores an empty one. If
 * that makes too many regions, the smallest one next to a more restrictive one is
 * dropped: it takes the type of that one, so that memory is lost but none is misused.
 */
void memory_map_add(struct memory_map *map, uint64_t start, uint64_t size,
                    enum memory_type type);

/* Returns the size in bytes of the part of a map that its regions use. */
size_t memory_map_used_size(const struct memory_map *map);

/* Returns region i, below count. */
struct memory_region memory_map_region(const struct memory_map *map, size_t i);

/* Returns whether a region of the type overlaps [start, end). */
bool memory_map_overlaps(const struct memory_map *map, enum memory_type type,
                         uint64_t start, uint64_t end);

/* Returns the total size of the regions of one type, in bytes. */
uint64_t memory_map_size(const struct memory_map *map, enum memory_type type);

/* The name of each type in the log. */
extern const char *const memory_type_names[MEMORY_TYPES];

#endif
