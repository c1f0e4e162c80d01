/* See port_map.h. */
#include "dev/port_map.h"

#include "lib/string.h"

void port_map_init(struct port_map *map)
{
    memset(map, 0, sizeof(*map));
}

void port_map_add(struct port_map *map, struct port_device device)
{
    if (map->device_count == PORT_DEVICES) {
        map->is_full = true;
        return;
    }
    map->device[++map->device_count] = device;
    for (uint32_t port = device.first; port <= device.last; port++) {
        if (map->owner[port] == 0)
            map->owner[port] = map->device_count;
    }
}
