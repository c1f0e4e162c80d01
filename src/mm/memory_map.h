/*
 * The machine's memory map, made fit for use: sorted, without overlaps, within the
 * address width.
 *
 * Pure; the caller owns the maps. What firmware says may be unsorted, overlapping, empty,
 * endless or too long; where two entries overlap, the one that is worse to be wrong about
 * wins (a byte that anybody calls reserved is reserved).
 */
#ifndef HYMIR_MM_MEMORY_MAP_H
#define HYMIR_MM_MEMORY_MAP_H

#include "lib/bits.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of memory, in the order of who wins an overlap: the later beats the earlier. */
enum memory_type {
    MEMORY_USABLE,
    MEMORY_ACPI_RECLAIMABLE, /* RAM with ACPI tables */
    MEMORY_ACPI_NVS,         /* RAM that firmware uses while the machine runs */
    MEMORY_RESERVED,         /* not for us; so is each type that Hymir does not know */
    MEMORY_BAD,              /* defective RAM */
};

struct memory_region {
    uint64_t start; /* bytes, inclusive */
    uint64_t end;   /* bytes, exclusive; above start */
    enum memory_type type;
};

#define MEMORY_MAP_ENTRIES 256 /* that firmware may give */
#define MEMORY_MAP_REGIONS (2 * MEMORY_MAP_ENTRIES)

/* What firmware said, entry by entry, as memory_entries_add took it. */
struct memory_entries {
    size_t count;
    size_t dropped_usable;   /* had no room: memory that goes unused */
    size_t dropped_reserved; /* had no room and must not be used: the map is unsound */
    uint64_t limit;          /* below 2^64 - 1; addresses at and above it do not exist */
    struct memory_region entry[MEMORY_MAP_ENTRIES];
};

/*
 * The result: regions sorted by address that neither overlap nor touch a region of their
 * type.
 */
struct memory_map {
    size_t count;
    struct memory_region region[MEMORY_MAP_REGIONS];
};

/*
 * Takes one entry of size bytes at start. What lies at or above the limit is cut off, an
 * empty entry ignored. When the table is full, the smallest usable entry makes room.
 */
void memory_entries_add(struct memory_entries *entries, uint64_t start, uint64_t size,
                        enum memory_type type);

/*
 * Makes *map out of all entries. STATUS_OUT_OF_RANGE, and *map untouched, if reserved
 * entries had to be dropped, because then no byte is known to be free.
 */
enum status MUST_CHECK memory_map_build(const struct memory_entries *entries,
                                        struct memory_map *map);

/* The sum of the regions of one type, in bytes. */
uint64_t memory_map_size(const struct memory_map *map, enum memory_type type);

/* The word for a type in the log. */
const char *memory_type_name(enum memory_type type);

#endif
