/*
 * Sanitizes the machine's memory map: sorted, without overlaps, within the address width.
 *
 * Pure; the caller owns the maps. Firmware's entries may be unsorted, overlapping, empty,
 * out of range or too many. If entries overlap, the more restrictive type wins.
 */
#ifndef HYMIR_MM_MEMORY_MAP_H
#define HYMIR_MM_MEMORY_MAP_H

#include "lib/bits.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory types, in ascending order of precedence if entries overlap. */
enum memory_type {
    MEMORY_USABLE,
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

#define MEMORY_MAP_ENTRIES 256 /* capacity for firmware's entries */
#define MEMORY_MAP_REGIONS (2 * MEMORY_MAP_ENTRIES)

/* Firmware's entries, added by memory_entries_add. */
struct memory_entries {
    size_t count;
    size_t dropped_usable;   /* table full: this memory is not used */
    size_t dropped_reserved; /* table full: the map is unusable */
    uint64_t limit;          /* below 2^64 - 1; addresses from here on do not exist */
    struct memory_region entry[MEMORY_MAP_ENTRIES];
};

/* Disjoint regions sorted by address; adjacent regions differ in type. */
struct memory_map {
    size_t count;
    struct memory_region region[MEMORY_MAP_REGIONS];
};

/*
 * Adds an entry of size bytes at start, truncated at the limit; ignores an empty one. If
 * the table is full, the smallest usable entry is dropped.
 */
void memory_entries_add(struct memory_entries *entries, uint64_t start, uint64_t size,
                        enum memory_type type);

/*
 * Builds *map from all entries. STATUS_OUT_OF_RANGE if reserved entries were dropped: no
 * memory is then known to be usable.
 */
enum status MUST_CHECK memory_map_build(const struct memory_entries *entries,
                                        struct memory_map *map);

/* Returns whether a region of the type overlaps [start, end). */
bool memory_map_overlaps(const struct memory_map *map, enum memory_type type,
                         uint64_t start, uint64_t end);

/* Returns the total size of the regions of one type, in bytes. */
uint64_t memory_map_size(const struct memory_map *map, enum memory_type type);

/* The name of each type in the log. */
extern const char *const memory_type_names[MEMORY_TYPES];

#endif
