/*
 * The I/O ports of a VM and the device models that claim them.
 *
 * Reads from an unclaimed port return all ones; writes to it are ignored, and both are
 * counted. Callbacks run on the CPU of the vCPU that accesses the port, which is the
 * map's accessor, and never at the same time.
 */
#ifndef HYMIR_DEV_PORT_MAP_H
#define HYMIR_DEV_PORT_MAP_H

#include "virt/vcpu.h"

#include <stdint.h>

#define PORT_DEVICES 24

/* A range of ports and the callbacks that handle accesses to it. */
struct port_device {
    uint16_t first, last;
    uint8_t width; /* the widest access, in bytes: 1, 2 or 4; wider ones are split */
    void *device;  /* passed to the callbacks */

    /* Reads a port. Only as many low bytes of the result as the access has are used. */
    uint32_t (*read)(void *device, uint16_t port);

    /*
     * Writes a port; the bytes of value that the access does not have are 0. Returns
     * EXIT_NEXT, or EXIT_STOP after vcpu_end if the write ends the guest.
     */
    enum exit_outcome (*write)(void *device, uint16_t port, uint32_t value);
};

/* Maps each port to its device by an index, not by a search: the guest waits for it. */
struct port_map {
    uint8_t owner[UINT16_MAX + 1]; /* by port: index in device */
    uint8_t device_count;
    unsigned int plain_size; /* of accesses that need only the device: 1, or 0: none */
    struct vcpu *accessor;   /* whose access is being handled */
    bool is_full;            /* a device did not fit */
    struct port_device device[1 + PORT_DEVICES]; /* device[0] has the unclaimed ports */
};

/* Empties the map. *unclaimed counts accesses to unclaimed ports; it must outlive it. */
void port_map_init(struct port_map *map, uint64_t *unclaimed);

/* Adds a device; a port already claimed keeps its device. Sets is_full if out of room. */
void port_map_add(struct port_map *map, struct port_device device);

/* Returns the device that an access to a port, 0 to 65535, reaches. */
static inline const struct port_device *port_map_find(const struct port_map *map,
                                                      unsigned int port)
{
    return &map->device[map->owner[port]];
}

/* A device's read of a port that can only be written. */
uint32_t port_read_ones(void *device, uint16_t port);

#endif
