/* See memory_map.h. */
#include "mm/memory_map.h"

#include "lib/string.h"

static uint64_t make_region(uint64_t start, enum memory_type type)
{
    return (uint64_t)type << 56 | start;
}

static uint64_t start_of(const struct memory_map *map, size_t i)
{
    return BITS_GET(map->region[i], 55, 0);
}

static enum memory_type type_of(const struct memory_map *map, size_t i)
{
    return (enum memory_type)BITS_GET(map->region[i], 63, 56);
}

static void set_type(struct memory_map *map, size_t i, enum memory_type type)
{
    map->region[i] = make_region(start_of(map, i), type);
}

void memory_map_init(struct memory_map *map, uint64_t limit)
{
    map->count         = 1;
    map->dropped       = 0;
    map->dropped_bytes = 0;
    map->limit         = limit;
    map->region[0]     = make_region(0, MEMORY_ABSENT);
}

size_t memory_map_used_size(const struct memory_map *map)
{
    return offsetof(struct memory_map, region) + map->count * sizeof(map->region[0]);
}

struct memory_region memory_map_region(const struct memory_map *map, size_t i)
{
    return (struct memory_region){
        .start = start_of(map, i),
        .end   = i + 1 < map->count ? start_of(map, i + 1) : map->limit,
        .type  = type_of(map, i),
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

    while (i < map->count && start_of(map, i) < address)
        i++;
    if (address == map->limit || (i < map->count && start_of(map, i) == address))
        return i;
    memmove(&map->region[i + 1], &map->region[i],
            (map->count - i) * sizeof(map->region[0]));
    map->count++;
    map->region[i] = make_region(address, type_of(map, i - 1));
    return i;
}

/* Merges adjacent regions of the same type. */
static void merge_regions(struct memory_map *map)
{
    size_t last = 0;

    for (size_t i = 1; i < map->count; i++) {
        if (type_of(map, i) != type_of(map, last))
            map->region[++last] = map->region[i];
    }
    map->count = last + 1;
}

/* Of the less restrictive ones of all pairs of neighbours, drops the smallest. */
static void drop_region(struct memory_map *map)
{
    size_t smallest       = 0;
    enum memory_type type = type_of(map, 0);

    for (size_t i = 1; i < map->count; i++) {
        size_t less = type_of(map, i) < type_of(map, i - 1) ? i : i - 1;
        if (i > 1 && region_size(map, less) >= region_size(map, smallest))
            continue;
        smallest = less;
        type     = type_of(map, less == i ? i - 1 : i);
    }
    map->dropped++;
    if (type_of(map, smallest) == MEMORY_USABLE)
        map->dropped_bytes += region_size(map, smallest);
    set_type(map, smallest, type);
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
        if (type_of(map, i) == MEMORY_ABSENT || type_of(map, i) < type)
            set_type(map, i, type);
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
        if (type_of(map, i) == type)
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
