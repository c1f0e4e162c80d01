/*
 * The ACPI tables of a guest: its CPUs, the wiring of interrupts, the registers that
 * power it off and reset it, and its ISA devices (dsdt.asl).
 *
 * ACPI 6.5, "ACPI Software Programming Model". They are in the BIOS area of a PC, where
 * guests search the RSDP, below the SMBIOS tables; the memory map has that area as
 * reserved. They agree with the devices of guest/devices.c. Pure.
 */
#ifndef HYMIR_GUEST_ACPI_TABLES_H
#define HYMIR_GUEST_ACPI_TABLES_H

#include "guest/memory.h"
#include "x86/pc_memory.h"

/* The address of the RSDP, with which the tables begin. */
#define ACPI_TABLES_RSDP ((uint64_t)PC_BIOS_START)

#define ACPI_TABLES_CPUS 64

/*
 * Writes the tables of a VM with cpu_count CPUs, 1 to ACPI_TABLES_CPUS, into its memory.
 * apic_ids: theirs, the bootstrap processor's first. Call before loading the image, which
 * may need that memory itself.
 */
void acpi_tables_write(const struct guest_memory *memory, const uint32_t *apic_ids,
                       size_t cpu_count, uint8_t io_apic_id);

#endif
