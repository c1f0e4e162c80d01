/* See port_map.h. */
#include "dev/port_map.h"

#include "lib/string.h"

void port_map_init(struct port_map *map)
{
    memset(map, 0, sizeof(*map));
    map->page_count = 1;
}

/* Claims a port for the newest device; adds the page of its high byte if needed. */
static void claim_port(struct port_map *map, uint16_t port)
{
    uint8_t *page = &map->page[port / PORT_PAGE_SIZE];

    if (*page == 0) {
        if (map->page_count == PORT_PAGES) {
            map->is_full = true;
            return;
        }
        *page = map->page_count++;
    }
    uint8_t *owner = &map->owner[*page][port % PORT_PAGE_SIZE];
    if (*owner == 0)
        *owner = map->device_count;
}

void port_map_add(struct port_map *map, struct port_device device)
{
    if (map->device_count == PORT_DEVICES) {
        map->is_full = true;
        return;
    }
    map->device[++map->device_count] = device;
    for (uint32_t port = device.first; port <= device.last; port++)
        claim_port(map, (uint16_t)port);
}
