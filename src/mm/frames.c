/* See frames.h. */
#include "mm/frames.h"

#include "lib/string.h"

/* Removes extent i. */
static void extent_remove(struct frame_allocator *frames, size_t i)
{
    frames->count--;
    memmove(&frames->extent[i], &frames->extent[i + 1],
            (frames->count - i) * sizeof(frames->extent[0]));
}

/* Inserts an extent before extent i; if the list is full, the memory is lost. */
static void extent_insert(struct frame_allocator *frames, size_t i, uint64_t start,
                          uint64_t end)
{
    if (frames->count == FRAME_EXTENTS) {
        frames->lost_bytes += end - start;
        return;
    }
    memmove(&frames->extent[i + 1], &frames->extent[i],
            (frames->count - i) * sizeof(frames->extent[0]));
    frames->extent[i] = (struct frame_extent){.start = start, .end = end};
    frames->count++;
}

void frames_init(struct frame_allocator *frames, const struct memory_map *map)
{
    frames->count      = 0;
    frames->lost_bytes = 0;
    for (size_t i = 0; i < map->count; i++) {
        struct memory_region region = memory_map_region(map, i);
        uint64_t start              = align_up(region.start, PAGE_SIZE);
        uint64_t end                = align_down(region.end, PAGE_SIZE);
        if (region.type == MEMORY_USABLE && start < end)
            extent_insert(frames, frames->count, start, end);
    }
    frames_reserve(frames, 0, PAGE_SIZE);
}

void frames_reserve(struct frame_allocator *frames, uint64_t start, uint64_t end)
{
    if (start >= end)
        return;
    start = align_down(start, PAGE_SIZE);
    end   = align_up(end, PAGE_SIZE);
    for (size_t i = frames->count; i > 0; i--) {
        struct frame_extent extent = frames->extent[i - 1];
        if (extent.end <= start || end <= extent.start)
            continue;
        extent_remove(frames, i - 1);
        if (end < extent.end)
            extent_insert(frames, i - 1, end, extent.end);
        if (extent.start < start)
            extent_insert(frames, i - 1, extent.start, start);
    }
}

enum status frames_allocate(struct frame_allocator *frames, uint64_t count,
                            uint64_t alignment, struct frame_zone zone, hpa_t *first)
{
    if (count == 0 || count > UINT64_MAX / PAGE_SIZE)
        return STATUS_OUT_OF_RANGE;
    uint64_t size = count * PAGE_SIZE;

    for (size_t i = 0; i < frames->count; i++) {
        struct frame_extent extent = frames->extent[i];
        uint64_t lowest = extent.start > zone.start ? extent.start : zone.start;
        uint64_t start  = align_up(lowest, alignment);
        uint64_t end    = extent.end < zone.end ? extent.end : zone.end;
        if (start < lowest || start >= end || end - start < size)
            continue;
        frames_reserve(frames, start, start + size);
        *first = hpa(start);
        return STATUS_OK;
    }
    return STATUS_NO_MEMORY;
}

void frames_free(struct frame_allocator *frames, hpa_t first, uint64_t count)
{
    uint64_t start = first.value;
    uint64_t end   = start + count * PAGE_SIZE;
    size_t i       = 0;

    while (i < frames->count && frames->extent[i].end < start)
        i++;
    /* Merges adjacent extents into the freed range. */
    while (i < frames->count && frames->extent[i].start <= end) {
        if (frames->extent[i].start < start)
            start = frames->extent[i].start;
        if (frames->extent[i].end > end)
            end = frames->extent[i].end;
        extent_remove(frames, i);
    }
    extent_insert(frames, i, start, end);
}

uint64_t frames_free_size(const struct frame_allocator *frames, struct frame_zone zone)
{
    uint64_t size = 0;

    for (size_t i = 0; i < frames->count; i++) {
        const struct frame_extent *extent = &frames->extent[i];
        uint64_t start = extent->start > zone.start ? extent->start : zone.start;
        uint64_t end   = extent->end < zone.end ? extent->end : zone.end;
        size += start < end ? end - start : 0;
    }
    return size;
}
