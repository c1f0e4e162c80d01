/*
 * The SMBIOS tables of a guest, which identify the machine as Hymir's: Linux shows them
 * in its log (DMI:) and in /sys/class/dmi/id.
 *
 * DMTF DSP0134, "System Management BIOS (SMBIOS) Reference Specification" 3.6: types 0
 * and 1, in the BIOS area of a PC. Pure.
 */
#ifndef HYMIR_GUEST_SMBIOS_TABLES_H
#define HYMIR_GUEST_SMBIOS_TABLES_H

#include "guest/memory.h"

/* The address of the tables, and their largest size in bytes. */
#define SMBIOS_TABLES_ADDRESS UINT64_C(0xF0000)
#define SMBIOS_TABLES_SIZE    512

/*
 * Writes the tables into the guest's memory. Call before loading the image, which may
 * need that memory itself. The system's serial number is the VM's name.
 */
void smbios_tables_write(const struct guest_memory *memory, const char *vm_name);

#endif
