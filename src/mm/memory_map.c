/* See memory_map.h. */
#include "mm/memory_map.h"

#include "lib/string.h"

void memory_map_init(struct memory_map *map, uint64_t limit)
{
    map->count         = 1;
    map->dropped       = 0;
    map->dropped_bytes = 0;
    map->limit         = limit;
    map->start[0]      = 0;
    map->type[0]       = MEMORY_ABSENT;
}

struct memory_region memory_map_region(const struct memory_map *map, size_t i)
{
    return (struct memory_region){
        .start = map->start[i],
        .end   = i + 1 < map->count ? map->start[i + 1] : map->limit,
        .type  = (enum memory_type)map->type[i],
    };
}

static uint64_t region_size(const struct memory_map *map, size_t i)
{
    struct memory_region region = memory_map_region(map, i);
    return region.end - region.start;
}

/* Returns the region that starts at an address, splitting one if necessary. */
static size_t split_region(struct memory_map *map, uint64_t address)
{
    size_t i = 0;

    while (i < map->count && map->start[i] < address)
        i++;
    if (address == map->limit || (i < map->count && map->start[i] == address))
        return i;
    size_t later = map->count++ - i;
    memmove(&map->start[i + 1], &map->start[i], later * sizeof(map->start[0]));
    memmove(&map->type[i + 1], &map->type[i], later * sizeof(map->type[0]));
    map->start[i] = address;
    map->type[i]  = map->type[i - 1];
    return i;
}

/* Merges adjacent regions of the same type. */
static void merge_regions(struct memory_map *map)
{
    size_t last = 0;

    for (size_t i = 1; i < map->count; i++) {
        if (map->type[i] == map->type[last])
            continue;
        last++;
        map->start[last] = map->start[i];
        map->type[last]  = map->type[i];
    }
    map->count = last + 1;
}

/* Of the less restrictive ones of all pairs of neighbours, drops the smallest. */
static void drop_region(struct memory_map *map)
{
    size_t smallest = 0;
    uint8_t type    = map->type[0];

    for (size_t i = 1; i < map->count; i++) {
        size_t less = map->type[i] < map->type[i - 1] ? i : i - 1;
        if (i > 1 && region_size(map, less) >= region_size(map, smallest))
            continue;
        smallest = less;
        type     = map->type[less == i ? i - 1 : i];
    }
    map->dropped++;
    if (map->type[smallest] == MEMORY_USABLE)
        map->dropped_bytes += region_size(map, smallest);
    map->type[smallest] = type;
    merge_regions(map);
}

void memory_map_add(struct memory_map *map, uint64_t start, uint64_t size,
                    enum memory_type type)
{
    uint64_t end = range_end(start, size);

    if (end > map->limit)
        end = map->limit;
    if (start >= end)
        return;
    size_t first = split_region(map, start);
    size_t after = split_region(map, end);
    for (size_t i = first; i < after; i++) {
        if (map->type[i] == MEMORY_ABSENT || map->type[i] < type)
            map->type[i] = (uint8_t)type;
    }
    merge_regions(map);
    while (map->count > MEMORY_MAP_REGIONS)
        drop_region(map);
}

bool memory_map_overlaps(const struct memory_map *map, enum memory_type type,
                         uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < map->count; i++) {
        struct memory_region region = memory_map_region(map, i);
        if (region.type == type && region.start < end && start < region.end)
            return true;
    }
    return false;
}

uint64_t memory_map_size(const struct memory_map *map, enum memory_type type)
{
    uint64_t size = 0;
    for (size_t i = 0; i < map->count; i++) {
        if (map->type[i] == type)
            size += region_size(map, i);
    }
    return size;
}

const char *const memory_type_names[] = {
    [MEMORY_USABLE]           = "usable",
    [MEMORY_ABSENT]           = "absent",
    [MEMORY_ACPI_RECLAIMABLE] = "ACPI tables",
    [MEMORY_ACPI_NVS]         = "ACPI NVS",
    [MEMORY_RESERVED]         = "reserved",
    [MEMORY_BAD]              = "bad",
};
_Static_assert(ARRAY_SIZE(memory_type_names) == MEMORY_TYPES, "a name for each type");
