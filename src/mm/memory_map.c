/*
 * See memory_map.h. Splits memory at every start and end of an entry and determines the
 * winning entry for each piece: quadratic, but simple.
 */
#include "mm/memory_map.h"

static uint64_t region_size(const struct memory_region *region)
{
    return region->end - region->start;
}

/* Returns the smallest usable entry, or NULL. */
static struct memory_region *find_smallest_usable(struct memory_entries *entries)
{
    struct memory_region *smallest = NULL;

    for (size_t i = 0; i < entries->count; i++) {
        struct memory_region *entry = &entries->entry[i];
        if (entry->type == MEMORY_USABLE &&
            (smallest == NULL || region_size(entry) < region_size(smallest)))
            smallest = entry;
    }
    return smallest;
}

/* Adds an entry to a full table, dropping the smallest usable one, or the new one. */
static void replace_smallest_usable(struct memory_entries *entries,
                                    const struct memory_region *added)
{
    struct memory_region *smallest = find_smallest_usable(entries);

    if (smallest == NULL && added->type != MEMORY_USABLE) {
        entries->dropped_reserved++;
        return;
    }
    entries->dropped_usable++;
    if (smallest != NULL &&
        (added->type != MEMORY_USABLE || region_size(added) > region_size(smallest)))
        *smallest = *added;
}

void memory_entries_add(struct memory_entries *entries, uint64_t start, uint64_t size,
                        enum memory_type type)
{
    struct memory_region added = {
        .start = start, .end = range_end(start, size), .type = type};

    if (added.end > entries->limit)
        added.end = entries->limit;
    if (added.start >= added.end)
        return;
    if (entries->count == MEMORY_MAP_ENTRIES)
        replace_smallest_usable(entries, &added);
    else
        entries->entry[entries->count++] = added;
}

/* Returns the lowest start or end of an entry above address, or UINT64_MAX. */
static uint64_t next_boundary(const struct memory_entries *entries, uint64_t address)
{
    uint64_t boundary = UINT64_MAX;
    for (size_t i = 0; i < entries->count; i++) {
        const struct memory_region *entry = &entries->entry[i];
        uint64_t edge = entry->start > address ? entry->start : entry->end;
        if (edge > address && edge < boundary)
            boundary = edge;
    }
    return boundary;
}

/* Returns the winning type at address, or -1 if no entry covers it. */
static int type_at(const struct memory_entries *entries, uint64_t address)
{
    int type = -1;
    for (size_t i = 0; i < entries->count; i++) {
        const struct memory_region *entry = &entries->entry[i];
        if (entry->start <= address && address < entry->end && (int)entry->type > type)
            type = (int)entry->type;
    }
    return type;
}

static void append_region(struct memory_map *map, uint64_t start, uint64_t end,
                          enum memory_type type)
{
    if (map->count > 0) {
        struct memory_region *last = &map->region[map->count - 1];
        if (last->end == start && last->type == type) {
            last->end = end;
            return;
        }
    }
    map->region[map->count++] =
        (struct memory_region){.start = start, .end = end, .type = type};
}

enum status memory_map_build(const struct memory_entries *entries, struct memory_map *map)
{
    uint64_t end;

    if (entries->dropped_reserved > 0)
        return STATUS_OUT_OF_RANGE;
    map->count = 0;
    /* n entries have at most 2n edges and thus 2n pieces: map->region is large enough. */
    for (uint64_t start = 0; (end = next_boundary(entries, start)) != UINT64_MAX;
         start          = end) {
        int type = type_at(entries, start);
        if (type >= 0)
            append_region(map, start, end, (enum memory_type)type);
    }
    return STATUS_OK;
}

bool memory_map_overlaps(const struct memory_map *map, enum memory_type type,
                         uint64_t start, uint64_t end)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_region *region = &map->region[i];
        if (region->type == type && region->start < end && start < region->end)
            return true;
    }
    return false;
}

uint64_t memory_map_size(const struct memory_map *map, enum memory_type type)
{
    uint64_t size = 0;
    for (size_t i = 0; i < map->count; i++) {
        if (map->region[i].type == type)
            size += region_size(&map->region[i]);
    }
    return size;
}

const char *const memory_type_names[] = {
    [MEMORY_USABLE] = "usable",     [MEMORY_ACPI_RECLAIMABLE] = "ACPI tables",
    [MEMORY_ACPI_NVS] = "ACPI NVS", [MEMORY_RESERVED] = "reserved",
    [MEMORY_BAD] = "bad",
};
_Static_assert(ARRAY_SIZE(memory_type_names) == MEMORY_TYPES, "a name for each type");
