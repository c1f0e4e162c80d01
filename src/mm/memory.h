/*
 * The machine's memory: the firmware's map and the free frames.
 *
 * Owns both. Any CPU may allocate and free.
 */
#ifndef HYMIR_MM_MEMORY_H
#define HYMIR_MM_MEMORY_H

#include "lib/status.h"
#include "mm/address.h"
#include "mm/frames.h"
#include "mm/memory_map.h"

#include <stdint.h>

/*
 * Places a variable, initially zero, in the part of the image that address_space_build
 * unmaps and frees.
 */
#define BOOT_ONLY __attribute__((section(".bss.boot_only")))

/* The physical address range of Hymir's image. */
struct memory_image {
    uint64_t start, end;
};

/*
 * Initializes the allocator with the usable memory of a map, except Hymir's image, loaded
 * at physical address image. The map is used until memory_copy_map.
 */
void memory_init(const struct memory_map *memory_map, uint64_t image);

/* Copies the map to as few pages as it needs, and uses the copy. STATUS_NO_MEMORY. */
enum status MUST_CHECK memory_copy_map(void);

struct memory_image memory_get_image(void);

/* Reserves [start, end) so that it is never allocated. */
void memory_reserve(uint64_t start, uint64_t end);

/*
 * Allocates count contiguous frames in a zone, aligned; *pages is the first. They may
 * not be RAM and are not cleared: see memory_prepare. STATUS_NO_MEMORY.
 */
enum status MUST_CHECK memory_allocate_unprepared(uint64_t count, uint64_t alignment,
                                                  struct frame_zone zone, void **pages);

/*
 * Verifies that allocated pages are RAM, and zeroes them. Returns the first page that is
 * not RAM, for memory_exclude once the pages have been freed, or NULL.
 */
void *MUST_CHECK memory_prepare(void *pages, uint64_t count);

/* Excludes free memory from a page on that is not RAM from the allocator; warns. */
void memory_exclude(const void *page);

/*
 * Allocates and prepares count contiguous frames in a zone, aligned; *pages is the first.
 * Memory that is not RAM is excluded with a warning. STATUS_NO_MEMORY.
 */
enum status MUST_CHECK memory_allocate_aligned(uint64_t count, uint64_t alignment,
                                               struct frame_zone zone, void **pages);

/* Allocates with page alignment. */
static inline enum status MUST_CHECK memory_allocate(uint64_t count,
                                                     struct frame_zone zone, void **pages)
{
    return memory_allocate_aligned(count, PAGE_SIZE, zone, pages);
}

/* Frees allocated pages. */
void memory_free(void *pages, uint64_t count);

/* Returns the number of pages that contain size bytes. */
static inline uint64_t memory_page_count(uint64_t size)
{
    return align_up(size, PAGE_SIZE) / PAGE_SIZE;
}

const struct memory_map *memory_get_map(void);

/* Returns the RAM in bytes: usable memory and ACPI memory. */
uint64_t memory_ram_size(void);

/* Returns the bytes in use by Hymir: allocations and its image. */
uint64_t memory_used_size(void);

/* Returns the free bytes of a zone. */
uint64_t memory_free_size(struct frame_zone zone);

#endif
