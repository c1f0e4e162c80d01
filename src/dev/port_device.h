/*
 * A device model as a guest's port accesses see it.
 *
 * The devices of a VM are a list of these; a port that none of them claims reads all ones
 * and ignores writes. Callbacks run on the vCPU's CPU.
 */
#ifndef HYMIR_DEV_PORT_DEVICE_H
#define HYMIR_DEV_PORT_DEVICE_H

#include "virt/vcpu.h"

#include <stdint.h>

#define PORT_PAGE_SIZE 256 /* ports */
#define PORT_PAGES     16
#define PORT_DEVICES   24

struct port_device {
    uint16_t first, last; /* its ports */
    uint8_t width; /* the widest access that it is given whole: wider is bytes in a row */
    void *device;  /* for the callbacks */

    /*
     * Reads size bytes (1, 2 or 4, at most width) at a port of the device's: the low ones
     * of what it returns.
     */
    uint32_t (*read)(void *device, uint16_t port, unsigned int size);

    /*
     * Writes the low size bytes of value. EXIT_NEXT, or EXIT_STOP if the guest ends by
     * that, with vcpu_end called.
     */
    enum exit_outcome (*write)(void *device, struct vcpu *vcpu, uint16_t port,
                               unsigned int size, uint32_t value);
};

/*
 * Which device has which port: an index and not a search, because a guest waits for the
 * answer. Pages of 256 ports; those without a device share page 0, in which all are
 * nobody's.
 */
struct port_map {
    uint8_t page[UINT16_MAX / PORT_PAGE_SIZE + 1]; /* by the port's high byte */
    uint8_t owner[PORT_PAGES][PORT_PAGE_SIZE];     /* by its low byte: 0, or a device */
    uint8_t page_count, device_count;
    struct port_device device[1 + PORT_DEVICES]; /* the first stands for nobody */
};

/* Starts with no device. */
void port_map_init(struct port_map *map);

/*
 * Adds a device; a port that has one already keeps it. STATUS_NO_MEMORY if the tables are
 * full.
 */
enum status MUST_CHECK port_map_add(struct port_map *map, struct port_device device);

/* The device at a port, or NULL if it is nobody's. */
static inline const struct port_device *port_map_find(const struct port_map *map,
                                                      uint16_t port)
{
    size_t high = port / PORT_PAGE_SIZE, low = port % PORT_PAGE_SIZE;
    uint8_t owner = map->owner[map->page[high]][low];
    return owner == 0 ? NULL : &map->device[owner];
}

#endif
