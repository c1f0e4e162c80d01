/*
 * How firmware/ reaches the tables it takes apart.
 */
#ifndef HYMIR_FIRMWARE_PHYSICAL_H
#define HYMIR_FIRMWARE_PHYSICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Makes size bytes of physical memory readable and returns where; NULL if that cannot be
 * done. The memory stays readable. In Hymir this is address_space_map_firmware, in the
 * unit tests an array.
 */
typedef const void *physical_map(uint64_t address, uint64_t size);

/* True if the size bytes, taken as numbers, add up to 0 in their low eight bits. */
static inline bool has_valid_checksum(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint8_t sum          = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

#endif
