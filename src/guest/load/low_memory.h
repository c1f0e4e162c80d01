/*
 * A guest's memory below 1 MiB as a PC's firmware leaves it: interrupt vectors, BIOS data
 * areas and reset vector.
 *
 * Kernels read the size of base memory and the address of the extended BIOS data area
 * there. The data agree with the memory map, CMOS and the devices of guest/devices.c. The
 * entry points of the BIOS end the guest: dev/bios_entries.h.
 */
#ifndef HYMIR_GUEST_LOAD_LOW_MEMORY_H
#define HYMIR_GUEST_LOAD_LOW_MEMORY_H

#include "guest/memory.h"

/*
 * Writes it into zeroed memory. Call before loading the image, which may need that memory
 * itself. time: in seconds since 1970, as the guest's clock has it.
 */
void low_memory_write(const struct guest_memory *memory, uint64_t time);

#endif
