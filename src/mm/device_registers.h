/*
 * Access to the registers of a device that address_space_map_device has mapped.
 */
#ifndef HYMIR_MM_DEVICE_REGISTERS_H
#define HYMIR_MM_DEVICE_REGISTERS_H

#include "mm/address.h"

#include <stdint.h>

/* Reads a register of 1, 2 or 4 bytes at an aligned physical address. */
static inline uint32_t device_read(uint64_t address, unsigned int width)
{
    const volatile void *at = hpa_pointer(hpa(address));

    if (width == 1)
        return *(const volatile uint8_t *)at;
    if (width == 2)
        return *(const volatile uint16_t *)at;
    return *(const volatile uint32_t *)at;
}

/* Writes a register of 1, 2 or 4 bytes at an aligned physical address. */
static inline void device_write(uint64_t address, unsigned int width, uint32_t value)
{
    volatile void *at = hpa_pointer(hpa(address));

    if (width == 1)
        *(volatile uint8_t *)at = (uint8_t)value;
    else if (width == 2)
        *(volatile uint16_t *)at = (uint16_t)value;
    else
        *(volatile uint32_t *)at = value;
}

#endif
