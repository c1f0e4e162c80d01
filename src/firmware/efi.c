/* See efi.h. */
#include "firmware/efi.h"

#include "lib/bits.h"
#include "lib/string.h"

#define MAX_CONFIGURATION_TABLES 256

struct system_table {
    uint64_t signature;
    uint8_t between_8_and_104[96];
    uint64_t entry_count;
    uint64_t entries;
};
_Static_assert(offsetof(struct system_table, entry_count) == 104,
               "UEFI 2.10, System Table");

struct configuration_table {
    uint8_t guid[16];
    uint64_t address;
};
_Static_assert(sizeof(struct configuration_table) == 24,
               "UEFI 2.10, Configuration Table");

static const uint8_t guid_smbios[16]  = {0x31, 0x2D, 0x9D, 0xEB, 0x88, 0x2D, 0xD3, 0x11,
                                         0x9A, 0x16, 0x00, 0x90, 0x27, 0x3F, 0xC1, 0x4D};
static const uint8_t guid_smbios3[16] = {0x44, 0x15, 0xFD, 0xF2, 0x94, 0x97, 0x2C, 0x4A,
                                         0x99, 0x2E, 0xE5, 0xBB, 0xCF, 0x20, 0xE3, 0x94};
static const uint8_t guid_acpi[16]    = {0x71, 0xE8, 0x68, 0x88, 0xF1, 0xE4, 0xD3, 0x11,
                                         0xBC, 0x22, 0x00, 0x80, 0xC7, 0x3C, 0x88, 0x81};

enum status efi_find_tables(uint64_t system_table, physical_map *map,
                            struct efi_tables *tables)
{
    const struct {
        const uint8_t *guid;
        uint64_t *address;
    } known[] = {{guid_smbios3, &tables->smbios_64},
                 {guid_smbios, &tables->smbios_32},
                 {guid_acpi, &tables->rsdp}};
    struct system_table system;
    const void *bytes = map(system_table, sizeof(system));
    if (bytes == NULL)
        return STATUS_MALFORMED;
    memcpy(&system, bytes, sizeof(system));
    if (system.signature != EFI_SYSTEM_TABLE_SIGNATURE ||
        system.entry_count > MAX_CONFIGURATION_TABLES)
        return STATUS_MALFORMED;
    const uint8_t *entries =
        map(system.entries, system.entry_count * sizeof(struct configuration_table));
    if (entries == NULL)
        return STATUS_MALFORMED;

    *tables = (struct efi_tables){0};
    for (uint64_t i = 0; i < system.entry_count; i++) {
        struct configuration_table table;
        memcpy(&table, entries + i * sizeof(table), sizeof(table));
        for (size_t j = 0; j < ARRAY_SIZE(known); j++) {
            if (memcmp(table.guid, known[j].guid, sizeof(table.guid)) == 0)
                *known[j].address = table.address;
        }
    }
    return STATUS_OK;
}
