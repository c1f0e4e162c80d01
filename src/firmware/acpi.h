/*
 * The way to the static ACPI tables.
 *
 * ACPI 6.5, "ACPI Software Programming Model". Every pointer and length is checked before
 * it is followed, and read only once; a table with a wrong checksum counts as absent.
 * Pure.
 */
#ifndef HYMIR_FIRMWARE_ACPI_H
#define HYMIR_FIRMWARE_ACPI_H

#include "firmware/physical.h"
#include "lib/status.h"

#include <stddef.h>
#include <stdint.h>

#define ACPI_SIGNATURE_SIZE 4

/* The header of every table but RSDP. */
struct __attribute__((packed)) acpi_table {
    char signature[ACPI_SIGNATURE_SIZE];
    uint32_t length; /* of the table with this header, in bytes */
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    uint32_t creator_id;
    uint32_t creator_revision;
};

/* A sound table, header included. */
struct acpi_view {
    const uint8_t *bytes;
    size_t length; /* at least sizeof(struct acpi_table) */
};

/* The longest table that is believed, and the most tables that are looked at. */
#define ACPI_MAX_TABLE_SIZE 0x400000
#define ACPI_MAX_TABLES     256

/* A table as its header announces it; nothing of it has been checked. */
struct acpi_entry {
    uint64_t address;
    uint32_t length;
    char signature[ACPI_SIGNATURE_SIZE];
};

/* The way to the tables; the members are acpi.c's business. */
struct acpi {
    physical_map *map;
    size_t count;
    struct acpi_entry entry[ACPI_MAX_TABLES];
};

/*
 * Finds the tables that the RSDP of size bytes leads to, and the DSDT: by the XSDT if
 * there is a sound one, else the RSDT. STATUS_MALFORMED if the RSDP is not sound or leads
 * nowhere; *acpi then has no tables.
 */
enum status MUST_CHECK acpi_open(const void *rsdp, size_t size, physical_map *map,
                                 struct acpi *acpi);

/*
 * Looks for an RSDP in the low memory where a BIOS has it and copies it to rsdp, 36 bytes
 * at the most; *size is how many. STATUS_NOT_FOUND.
 */
enum status MUST_CHECK acpi_scan_low_memory(physical_map *map, uint8_t rsdp[36],
                                            size_t *size);

/* Finds the first sound table with the signature of four characters. STATUS_NOT_FOUND. */
enum status MUST_CHECK acpi_find(const struct acpi *acpi, const char *signature,
                                 struct acpi_view *view);

/* Finds the next one, from *next on, which starts at 0. STATUS_NOT_FOUND at the end. */
enum status MUST_CHECK acpi_find_next(const struct acpi *acpi, const char *signature,
                                      size_t *next, struct acpi_view *view);

/*
 * Calls visit with the physical address and the size in bytes of each table, sound or
 * not: memory that must stay as it is.
 */
void acpi_visit(const struct acpi *acpi, void (*visit)(uint64_t address, uint64_t size));

#endif
