/* See address_map.h. */
#include "dev/address_map.h"

void address_map_init(struct address_map *map)
{
    map->count   = 0;
    map->is_full = false;
}

void address_map_add(struct address_map *map, struct memory_device device)
{
    if (map->count == MEMORY_DEVICES)
        map->is_full = true;
    else
        map->device[map->count++] = device;
}

const struct memory_device *address_map_find(const struct address_map *map,
                                             uint64_t address)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_device *device = &map->device[i];
        if (device->first <= address && address <= device->last)
            return device;
    }
    return NULL;
}
