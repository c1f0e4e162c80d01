/*
 * Finds and reads the static ACPI tables.
 *
 * ACPI 6.5, "ACPI Software Programming Model". Every pointer and length is validated
 * before use and read only once. A wrong checksum is reported, and the table used: what
 * firmware or a boot loader patched without adding it up is more common than damage, and
 * operating systems use it too (ACPICA's default). Pure.
 */
#ifndef HYMIR_FIRMWARE_ACPI_H
#define HYMIR_FIRMWARE_ACPI_H

#include "firmware/physical.h"
#include "firmware/platform_power.h"
#include "lib/serial_port.h"
#include "lib/status.h"
#include "x86/acpi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A readable table with its header. */
struct acpi_view {
    const uint8_t *bytes;
    size_t length; /* at least sizeof(struct acpi_table) */
};

/* The longest table accepted, and the number of tables examined. */
#define ACPI_MAX_TABLE_SIZE 0x400000
#define ACPI_MAX_TABLES     256

/* A table as described by its header; not validated. */
struct acpi_entry {
    uint64_t address;
    uint32_t length;
    char signature[ACPI_SIGNATURE_SIZE];
};

/* The result of listing a table's entries. */
struct acpi_listing {
    size_t count;   /* of entries written */
    size_t dropped; /* entries beyond the capacity */
    bool is_broken; /* an entry is malformed; those after it were not read */
};

/* The list of tables; private to acpi.c. */
struct acpi {
    physical_map *map;
    bool has_wrong_rsdp_checksum;
    size_t count;
    struct acpi_entry entry[ACPI_MAX_TABLES];
};

/*
 * Lists the tables that an RSDP of size bytes points to, and the DSDT, by the XSDT if it
 * is valid, otherwise by the RSDT. The RSDP is one that the boot loader or firmware
 * named: its checksum may be wrong. STATUS_MALFORMED if its signature or both of these
 * tables are invalid; *acpi then has no tables.
 */
enum status MUST_CHECK acpi_open(const void *rsdp, size_t size, physical_map *map,
                                 struct acpi *acpi);

/*
 * Searches the low memory of a BIOS machine for an RSDP with a right checksum and copies
 * it to rsdp, *size bytes, 20 or 36. STATUS_NOT_FOUND.
 */
enum status MUST_CHECK acpi_scan_low_memory(physical_map *map, uint8_t rsdp[36],
                                            size_t *size);

/* Finds the first readable table with a 4-character signature. STATUS_NOT_FOUND. */
enum status MUST_CHECK acpi_find(const struct acpi *acpi, const char *signature,
                                 struct acpi_view *view);

/* Finds the next readable table from index *next, initially 0. STATUS_NOT_FOUND. */
enum status MUST_CHECK acpi_find_next(const struct acpi *acpi, const char *signature,
                                      size_t *next, struct acpi_view *view);

/* Warns once about each table that is unreadable or has a wrong checksum. */
void acpi_log_faults(const struct acpi *acpi);

/*
 * Calls visit with the physical address and size in bytes of each table, valid or not:
 * memory that must not be overwritten.
 */
void acpi_visit(const struct acpi *acpi, void (*visit)(uint64_t address, uint64_t size));

/*
 * Reads the entry of a MADT or SRAT at *offset and advances past it. Returns false at the
 * end or if the entry is malformed. An entry's bytes begin with its type and length.
 */
bool acpi_next_entry(const struct acpi_view *table, size_t *offset,
                     struct acpi_view *entry);

/*
 * The Multiple APIC Description Table: the CPUs, and the routing of ISA interrupts.
 * ACPI 6.5, "Multiple APIC Description Table (MADT)".
 */

/*
 * Writes the APIC IDs of the enabled CPUs to apic_ids, at most capacity, in table order
 * without duplicates.
 */
struct acpi_listing acpi_list_cpus(const struct acpi_view *madt, uint32_t *apic_ids,
                                   size_t capacity);

/*
 * Writes the physical addresses of the I/O APICs' registers to addresses, at most
 * capacity, in table order.
 */
struct acpi_listing acpi_list_io_apics(const struct acpi_view *madt, uint64_t *addresses,
                                       size_t capacity);

/* An I/O APIC input, with the polarity and trigger mode of its interrupt. */
struct acpi_interrupt {
    uint64_t io_apic; /* physical address of the registers */
    uint32_t input;
    bool is_active_low, is_level; /* otherwise active high, edge-triggered, as on ISA */
};

/*
 * Finds the input of an ISA interrupt, 0 to 15, or of another global system interrupt,
 * which is taken to be level-triggered and active low, as PCI's are. STATUS_NOT_FOUND
 * without an I/O APIC.
 */
enum status MUST_CHECK acpi_find_interrupt(const struct acpi_view *madt,
                                           uint32_t interrupt,
                                           struct acpi_interrupt *found);

/*
 * The tables of the units that translate the addresses of devices: DMAR, which lists
 * VT-d's, and IVRS, which lists AMD-Vi's. Intel VT-d, "BIOS Considerations", "DMA
 * Remapping Reporting Structure"; AMD I/O Virtualization Technology (IOMMU)
 * Specification, "I/O Virtualization Reporting Structure (IVRS)".
 */

/*
 * Writes the physical addresses of at most capacity units to addresses, each once: IVRS
 * describes a unit in up to three entries. addresses may be NULL if capacity is 0: then
 * all entries of units are dropped, and counted.
 */
struct acpi_listing acpi_list_units(const struct acpi_view *table, uint64_t *addresses,
                                    size_t capacity);

/*
 * Returns whether firmware opts out of x2APIC mode, in a DMAR. Intel VT-d, "DMA Remapping
 * Reporting Structure": X2APIC_OPT_OUT, which is valid with INTR_REMAP.
 */
bool acpi_opts_out_of_x2apic(const struct acpi_view *dmar);

/*
 * The System Resource Affinity Table: which CPUs and memory are near to each other, in
 * nodes, which ACPI calls proximity domains. ACPI 6.5, "System Resource Affinity Table
 * (SRAT)".
 */

/* Return the node of a CPU and of a physical address; 0 if the table does not name it. */
uint32_t acpi_node_of_cpu(const struct acpi_view *srat, uint32_t apic_id);
uint32_t acpi_node_of_memory(const struct acpi_view *srat, uint64_t address);

/*
 * The table MCFG: where in memory the configuration space of PCI buses is. PCI Firmware
 * Specification 3.3, "MCFG Table Description".
 */

/* Buses of a segment whose configuration space is in memory; not validated. */
struct acpi_pci_buses {
    uint64_t address; /* of bus 0, even if the first bus is another one */
    uint16_t segment;
    uint8_t first, last;
};

/*
 * Reads entry *index, initially 0, and increments it. STATUS_NOT_FOUND after the last
 * one; STATUS_MALFORMED if only a part of an entry is left.
 */
enum status MUST_CHECK acpi_next_pci_buses(const struct acpi_view *mcfg, size_t *index,
                                           struct acpi_pci_buses *buses);

/*
 * The registers for reset and power-off, from the FADT and the package \_S5. There is no
 * AML interpreter: \_S5 is searched in the DSDT and the SSDTs, and must be constant, as
 * it is on every known machine.
 */

/* Fills in *power; all zero (nothing supported) without a FADT. */
void acpi_find_power(const struct acpi *acpi, struct platform_power *power);

/* The timers that run at a known frequency. */
struct acpi_timers {
    struct platform_register pm_timer; /* of 3.579545 MHz */
    bool is_pm_timer_32_bit;           /* otherwise 24-bit */
    uint64_t hpet;                     /* physical address of the registers; 0: none */
};

/*
 * Reads the PM timer from the FADT, and the HPET from its table, "The ACPI 2.0 HPET
 * Description Table (HPET)" in the IA-PC HPET specification; what is absent or invalid is
 * 0.
 */
void acpi_find_timers(const struct acpi *acpi, struct acpi_timers *timers);

/*
 * Read the serial port of firmware's console from an SPCR, or of a debugger from the
 * first device of a DBG2 that is one, by its first usable address. Microsoft, "Serial
 * Port Console Redirection Table (SPCR)", "Microsoft Debug Port Table 2 (DBG2)".
 * STATUS_NOT_FOUND if there is none, because it is disabled; STATUS_UNSUPPORTED if it is
 * not compatible with a 16550 at I/O ports or in memory; STATUS_OUT_OF_RANGE if its
 * address cannot be a UART's; STATUS_MALFORMED.
 */
enum status MUST_CHECK acpi_read_spcr(const struct acpi_view *view,
                                      struct serial_port *port);
enum status MUST_CHECK acpi_read_dbg2(const struct acpi_view *view,
                                      struct serial_port *port);

/* A PCI function; not validated. */
struct acpi_pci_location {
    uint16_t segment;
    uint8_t bus, device, function;
    uint16_t vendor_id, device_id;
};

/* Returns whether an SPCR says that its port is in PCI, and where. */
bool acpi_find_spcr_in_pci(const struct acpi_view *view,
                           struct acpi_pci_location *location);

#endif
