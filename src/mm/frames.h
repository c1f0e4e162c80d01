/*
 * The allocator of 4 KiB frames: a sorted list of free extents in the caller's struct.
 *
 * Pure: computes addresses and never accesses the frames. No lock: mm/memory.h has it.
 */
#ifndef HYMIR_MM_FRAMES_H
#define HYMIR_MM_FRAMES_H

#include "lib/bits.h"
#include "lib/status.h"
#include "mm/address.h"
#include "mm/memory_map.h"

#include <stddef.h>
#include <stdint.h>

/* The usable regions of a full memory map, and pieces that allocations leave. */
#define FRAME_EXTENTS (MEMORY_MAP_ENTRIES + 64)

struct frame_allocator {
    size_t count;
    uint64_t lost_bytes; /* free memory lost because the list was full */
    struct frame_extent {
        uint64_t start; /* bytes, a multiple of PAGE_SIZE */
        uint64_t end;   /* bytes, exclusive, a multiple of PAGE_SIZE, above start */
    } extent[FRAME_EXTENTS];
};

/*
 * The address range [start, end) for an allocation. The first 64 KiB are a zone of their
 * own, because some firmware corrupts them.
 */
struct frame_zone {
    uint64_t start, end;
};
static const struct frame_zone frames_below_64_kib = {0, BIT(16)};
static const struct frame_zone frames_below_1_mib  = {BIT(16), BIT(20)};
static const struct frame_zone frames_above_1_mib  = {BIT(20), UINT64_MAX};
static const struct frame_zone frames_below_4_gib  = {BIT(20), BIT(32)};

/* Initializes the free list: every whole frame of usable regions except frame 0. */
void frames_init(struct frame_allocator *frames, const struct memory_map *map);

/* Removes every frame that overlaps [start, end) from the free list. */
void frames_reserve(struct frame_allocator *frames, uint64_t start, uint64_t end);

/*
 * Allocates count contiguous frames in the zone, the first aligned to alignment (bytes, a
 * power of two, at least PAGE_SIZE), at the lowest address, which limits fragmentation.
 * Their contents are undefined. STATUS_NO_MEMORY; STATUS_OUT_OF_RANGE if count is 0 or
 * the size exceeds 64 bits.
 */
enum status MUST_CHECK frames_allocate(struct frame_allocator *frames, uint64_t count,
                                       uint64_t alignment, struct frame_zone zone,
                                       hpa_t *first);

/* Frees count allocated frames, starting at first. */
void frames_free(struct frame_allocator *frames, hpa_t first, uint64_t count);

/* Returns the free bytes of a zone. */
uint64_t frames_free_size(const struct frame_allocator *frames, struct frame_zone zone);

#endif
