/*
 * The frame allocator: who owns which 4 KiB frame of the machine's memory.
 *
 * Owns nothing but the struct the caller gives it: a sorted list of free extents. Pure
 * arithmetic on addresses, the frames themselves are never touched. Not locked: only the
 * boot CPU allocates.
 */
#ifndef HYMIR_MM_FRAMES_H
#define HYMIR_MM_FRAMES_H

#include "lib/bits.h"
#include "lib/status.h"
#include "mm/address.h"
#include "mm/memory_map.h"

#include <stddef.h>
#include <stdint.h>

#define FRAME_EXTENTS 512

struct frame_allocator {
    size_t count;
    uint64_t lost_bytes; /* free memory given up because the list was full */
    struct frame_extent {
        uint64_t start; /* bytes, a multiple of PAGE_SIZE */
        uint64_t end;   /* bytes, exclusive, a multiple of PAGE_SIZE, above start */
    } extent[FRAME_EXTENTS];
};

/* Where an allocation may lie: addresses from start up to, and without, end. */
struct frame_zone {
    uint64_t start, end;
};
extern const struct frame_zone frames_below_64_kib; /* which some firmware scribbles in */
extern const struct frame_zone frames_below_1_mib;  /* and from 64 KiB up */
extern const struct frame_zone frames_above_1_mib;  /* anywhere from there up */
extern const struct frame_zone frames_below_4_gib;  /* and from 1 MiB up */

/* Starts with every whole frame of the map's usable regions, but for frame 0. */
void frames_init(struct frame_allocator *frames, const struct memory_map *map);

/* Takes every frame that has a byte in [start, end) out of the free ones. */
void frames_reserve(struct frame_allocator *frames, uint64_t start, uint64_t end);

/*
 * Allocates count frames in a row, the first at a multiple of alignment (a power of two,
 * in bytes, at least PAGE_SIZE), all in the zone, as low as possible: what Hymir takes
 * for itself then lies together, and long runs of memory stay whole. The frames' contents
 * are undefined. STATUS_NO_MEMORY if there is no such run; STATUS_OUT_OF_RANGE if count
 * is 0 or count frames do not fit into 64 bits.
 */
enum status MUST_CHECK frames_allocate(struct frame_allocator *frames, uint64_t count,
                                       uint64_t alignment, struct frame_zone zone,
                                       hpa_t *first);

/*
 * Gives back count frames from first on, which frames_allocate gave and nobody has given
 * back.
 */
void frames_free(struct frame_allocator *frames, hpa_t first, uint64_t count);

/* The sum of the free frames, in bytes. */
uint64_t frames_free_size(const struct frame_allocator *frames);

#endif
