/*
 * A machine with ACPI tables, compiled by iasl, at the addresses below.
 */
#ifndef HYMIR_TESTS_ACPI_H
#define HYMIR_TESTS_ACPI_H

#include "memory.h"

#include "firmware/acpi.h"
#include "lib/bits.h"

/* Addresses of the tables. */
#define RSDT 0x1000
#define XSDT 0x2000
#define MADT 0x4000
#define FADT 0x5000
#define SSDT 0x6000
#define DSDT 0x7000 /* as in the fixtures of the FADT */

static uint8_t rsdp[36];

static inline void write_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static inline void write_u64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}

static inline void make_rsdp(uint8_t revision, uint32_t rsdt, uint64_t xsdt)
{
    memset(rsdp, 0, sizeof(rsdp));
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = revision;
    write_u32(rsdp + 16, rsdt);
    fix_checksum(rsdp, 20, 8);
    write_u32(rsdp + 20, 36);
    write_u64(rsdp + 24, xsdt);
    fix_checksum(rsdp, 36, 32);
}

/* Writes a root table with count pointers of entry_size bytes. */
static uint8_t *make_root(uint64_t address, const char *signature, size_t entry_size,
                          const uint64_t *entries, size_t count)
{
    size_t size   = 36 + entry_size * count;
    uint8_t *root = memory_put(address, NULL, size);
    memcpy(root, signature, 4);
    write_u32(root + 4, (uint32_t)size);
    for (size_t i = 0; i < count; i++)
        memcpy(root + 36 + entry_size * i, &entries[i], entry_size);
    fix_checksum(root, size, 9);
    return root;
}

static inline struct acpi open_now(void)
{
    struct acpi acpi;
    assert_int_equal(acpi_open(rsdp, 36, memory_map_piece, &acpi), STATUS_OK);
    return acpi;
}

static inline struct acpi open_all(const uint64_t *entries, size_t count)
{
    make_rsdp(2, 0, XSDT);
    make_root(XSDT, "XSDT", 8, entries, count);
    return open_now();
}

#endif
