/* See memory.h. */
#include "mm/memory.h"

#include "cpu/instructions.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "x86/pc_memory.h"

#include <stdatomic.h>

/* The image at its linked address, from hymir.ld. */
extern uint8_t image_start[], image_end[];

#define PROBE_PATTERN UINT64_C(0x48796D6972527431)
#define EXCLUDED_SIZE BIT(20)

static const struct memory_map *map;
static struct memory_image image;

/* Guards the members below it. */
static struct spinlock lock;
static struct frame_allocator frames;
static uint64_t allocated_bytes;

void memory_init(const struct memory_map *memory_map, uint64_t image_address)
{
    map = memory_map;
    frames_init(&frames, map);
    allocated_bytes = (uintptr_t)image_end - (uintptr_t)image_start;
    image = (struct memory_image){image_address, image_address + allocated_bytes};
    frames_reserve(&frames, image.start, image.end);
    frames_reserve(&frames, PC_VIDEO_START, PC_ROM_END); /* whatever the map says */
}

enum status memory_copy_map(void)
{
    size_t size = memory_map_used_size(map);
    void *copy;
    enum status status =
        memory_allocate(memory_page_count(size), frames_below_4_gib, &copy);

    if (status != STATUS_OK)
        return status;
    memcpy(copy, map, size);
    map = copy;
    return STATUS_OK;
}

struct memory_image memory_get_image(void)
{
    return image;
}

void memory_reserve(uint64_t start, uint64_t end)
{
    unsigned int ticket = spinlock_acquire(&lock);
    uint64_t lost       = frames.lost_bytes;

    frames_reserve(&frames, start, end);
    lost = frames.lost_bytes - lost;
    spinlock_release(&lock, ticket);
    if (lost > 0)
        log_warning("memory: too fragmented; %lu KiB not used", lost >> 10);
}

/* Writes a value and reads it back from memory, bypassing the cache. */
static bool word_holds(volatile uint64_t *word, uint64_t value)
{
    *word = value;
    cache_line_flush(word);
    return *word == value;
}

/*
 * Returns the index of the first of count pages that is not RAM, or count. Tests both
 * ends of each page with a pattern and its complement.
 */
static uint64_t find_first_not_ram(volatile uint64_t *words, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        volatile uint64_t *first = words + i * (PAGE_SIZE / sizeof(*words));
        volatile uint64_t *last  = first + PAGE_SIZE / sizeof(*words) - 1;
        if (!word_holds(first, PROBE_PATTERN + i) ||
            !word_holds(last, ~(PROBE_PATTERN + i)) || *first != PROBE_PATTERN + i)
            return i;
    }
    return count;
}

enum status memory_allocate_unprepared(uint64_t count, uint64_t alignment,
                                       struct frame_zone zone, void **pages)
{
    hpa_t first;
    unsigned int ticket = spinlock_acquire(&lock);
    enum status status  = frames_allocate(&frames, count, alignment, zone, &first);

    if (status == STATUS_OK)
        allocated_bytes += count * PAGE_SIZE;
    spinlock_release(&lock, ticket);
    if (status == STATUS_OK)
        *pages = hpa_pointer(first);
    return status;
}

void *memory_prepare(void *pages, uint64_t count)
{
    uint64_t bad = find_first_not_ram(pages, count);

    if (bad < count)
        return (uint8_t *)pages + bad * PAGE_SIZE;
    memset(pages, 0, count * PAGE_SIZE);
    return NULL;
}

/*
 * Doubles the size each time, so that a small hole wastes little memory and a large one
 * needs few attempts.
 */
void memory_exclude(const void *page)
{
    static _Atomic uint64_t excluded_size = EXCLUDED_SIZE;
    uint64_t address                      = hpa_of(page).value;
    uint64_t size                         = atomic_load(&excluded_size);
    uint64_t end                          = range_end(address, size);

    atomic_store(&excluded_size, 2 * size);
    log_warning("memory at 0x%lx: reported usable but not RAM; not used up to 0x%lx",
                address, end);
    memory_reserve(address, end);
}

enum status memory_allocate_aligned(uint64_t count, uint64_t alignment,
                                    struct frame_zone zone, void **pages)
{
    void *found;

    for (;;) {
        enum status status = memory_allocate_unprepared(count, alignment, zone, &found);
        if (status != STATUS_OK)
            return status;
        const void *bad = memory_prepare(found, count);
        if (bad == NULL)
            break;
        memory_free(found, count);
        memory_exclude(bad); /* ensures progress */
    }
    *pages = found;
    return STATUS_OK;
}

void memory_free(void *pages, uint64_t count)
{
    unsigned int ticket = spinlock_acquire(&lock);

    frames_free(&frames, hpa_of(pages), count);
    allocated_bytes -= count * PAGE_SIZE;
    spinlock_release(&lock, ticket);
}

const struct memory_map *memory_get_map(void)
{
    return map;
}

uint64_t memory_ram_size(void)
{
    return memory_map_size(map, MEMORY_USABLE) +
           memory_map_size(map, MEMORY_ACPI_RECLAIMABLE) +
           memory_map_size(map, MEMORY_ACPI_NVS);
}

uint64_t memory_used_size(void)
{
    return allocated_bytes;
}

uint64_t memory_free_size(struct frame_zone zone)
{
    unsigned int ticket = spinlock_acquire(&lock);
    uint64_t size       = frames_free_size(&frames, zone);

    spinlock_release(&lock, ticket);
    return size;
}
