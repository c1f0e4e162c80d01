/*
 * The machine's memory, as one thing: the map that firmware gave, the frames that are
 * free.
 *
 * Owns both. Only the boot CPU allocates.
 */
#ifndef HYMIR_MM_MEMORY_H
#define HYMIR_MM_MEMORY_H

#include "lib/status.h"
#include "mm/address.h"
#include "mm/frames.h"
#include "mm/memory_map.h"

#include <stddef.h>
#include <stdint.h>

/* Where Hymir's image lies in physical memory, from the boot code. */
struct memory_image {
    uint64_t start, end;
};

/*
 * Takes over the memory that entries describe, without Hymir's own image, which was
 * loaded at the physical address image. STATUS_OUT_OF_RANGE if the entries are not to be
 * trusted: see memory_map_build.
 */
enum status MUST_CHECK memory_init(const struct memory_entries *entries, uint64_t image);

struct memory_image memory_get_image(void);

/* Keeps [start, end) from being allocated. */
void memory_reserve(uint64_t start, uint64_t end);

/*
 * Allocates count frames in a row in a zone, at a multiple of alignment, zeroed, and
 * checks that they are RAM: what the map calls usable and does not hold what is written
 * is given up, with a warning, and the next is tried. *pages is where they start.
 * STATUS_NO_MEMORY.
 */
enum status MUST_CHECK memory_allocate_aligned(uint64_t count, uint64_t alignment,
                                               struct frame_zone zone, void **pages);

/* The same at any page. */
static inline enum status MUST_CHECK memory_allocate(uint64_t count,
                                                     struct frame_zone zone, void **pages)
{
    return memory_allocate_aligned(count, PAGE_SIZE, zone, pages);
}

/* Gives back what memory_allocate gave. */
void memory_free(void *pages, uint64_t count);

const struct memory_map *memory_get_map(void);

/* RAM in bytes: what is usable, and what firmware keeps in it. */
uint64_t memory_ram_size(void);

/* The bytes that Hymir has allocated and not given back, with its image. */
uint64_t memory_used_size(void);

#endif
