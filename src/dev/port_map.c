/* See port_device.h. */
#include "dev/port_device.h"
#include "lib/string.h"

void port_map_init(struct port_map *map)
{
    memset(map, 0, sizeof(*map));
    map->page_count = 1;
}

/* The page for a port, with a new one if it shares page 0. */
static enum status own_page(struct port_map *map, uint16_t port, uint8_t **page)
{
    uint8_t *number = &map->page[port / PORT_PAGE_SIZE];

    if (*number == 0) {
        if (map->page_count == PORT_PAGES)
            return STATUS_NO_MEMORY;
        *number = map->page_count++;
    }
    *page = map->owner[*number];
    return STATUS_OK;
}

enum status port_map_add(struct port_map *map, struct port_device device)
{
    uint8_t *page;

    if (map->device_count == PORT_DEVICES)
        return STATUS_NO_MEMORY;
    map->device[++map->device_count] = device;
    for (uint32_t port = device.first; port <= device.last; port++) {
        enum status status = own_page(map, (uint16_t)port, &page);
        if (status != STATUS_OK)
            return status;
        if (page[port % PORT_PAGE_SIZE] == 0)
            page[port % PORT_PAGE_SIZE] = map->device_count;
    }
    return STATUS_OK;
}
