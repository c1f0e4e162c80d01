/* See port_map.h. */
#include "dev/port_map.h"

#include "lib/string.h"

uint32_t port_read_ones(void *device, uint16_t port)
{
    (void)device;
    (void)port;
    return UINT32_MAX;
}

static uint32_t read_unclaimed(void *device, uint16_t port)
{
    uint64_t *count = device;

    (void)port;
    ++*count;
    return UINT32_MAX;
}

static enum exit_outcome write_unclaimed(void *device, uint16_t port, uint32_t value)
{
    (void)value;
    (void)read_unclaimed(device, port);
    return EXIT_NEXT;
}

void port_map_init(struct port_map *map, uint64_t *unclaimed)
{
    memset(map, 0, sizeof(*map));
    map->device[0] = (struct port_device){0,         UINT16_MAX,     1,
                                          unclaimed, read_unclaimed, write_unclaimed};
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
