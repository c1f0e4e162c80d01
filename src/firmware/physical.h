/* Access to firmware tables in physical memory. */
#ifndef HYMIR_FIRMWARE_PHYSICAL_H
#define HYMIR_FIRMWARE_PHYSICAL_H

#include "lib/bits.h"

/*
 * Maps size bytes of physical memory readable, permanently, and returns a pointer to
 * them, or NULL on failure. Implemented by address_space_map_firmware and, in the unit
 * tests, by an array.
 */
typedef const void *physical_map(uint64_t address, uint64_t size);

/* Returns whether the sum of all bytes is 0 modulo 256. */
static inline bool has_valid_checksum(const void *data, size_t size)
{
    return byte_sum(data, size) == 0;
}

#endif
