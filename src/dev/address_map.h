/*
 * The memory-mapped devices of a VM: the guest-physical addresses that they claim.
 *
 * As dev/port_map.h for ports. A local APIC is not among them: its address depends on the
 * CPU.
 */
#ifndef HYMIR_DEV_ADDRESS_MAP_H
#define HYMIR_DEV_ADDRESS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_DEVICES 8

/* A range of addresses and the callbacks that handle accesses to it. */
struct memory_device {
    uint64_t first, last;
    void *device; /* passed to the callbacks */

    /*
     * Access size bytes, 1, 2, 4 or 8, at an offset from first; the access may extend
     * beyond last. Only as many low bytes of a value read as the access has are used; the
     * bytes of a value written that it does not have are 0.
     */
    uint64_t (*read)(void *device, uint32_t offset, unsigned int size);
    void (*write)(void *device, uint32_t offset, unsigned int size, uint64_t value);
};

struct address_map {
    struct memory_device device[MEMORY_DEVICES];
    size_t count;
    bool is_full; /* a device did not fit */
};

/* Empties the map. */
void address_map_init(struct address_map *map);

/* Adds a device; an address already claimed keeps its device. Sets is_full if full. */
void address_map_add(struct address_map *map, struct memory_device device);

/* Returns the device that claims an address, or NULL. */
const struct memory_device *address_map_find(const struct address_map *map,
                                             uint64_t address);

#endif
