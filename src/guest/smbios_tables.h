/*
 * The SMBIOS tables of a guest, by which its system can tell what it runs on: Linux says
 * so in its log (DMI:) and in /sys/class/dmi/id.
 *
 * DMTF DSP0134, "System Management BIOS (SMBIOS) Reference Specification" 3.6: types 0
 * and 1, at the place where a PC's BIOS has them. Pure.
 */
#ifndef HYMIR_GUEST_SMBIOS_TABLES_H
#define HYMIR_GUEST_SMBIOS_TABLES_H

#include "guest/memory.h"

/* Where a guest's tables are, and how much room they have at most. */
#define SMBIOS_TABLES_ADDRESS UINT64_C(0xF0000)
#define SMBIOS_TABLES_SIZE    512

/*
 * Writes them into the guest's memory, which its image may need for itself: so before
 * that is loaded. The system's serial number is the VM's name.
 */
void smbios_tables_write(const struct guest_memory *memory, const char *vm_name);

#endif
