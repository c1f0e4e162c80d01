/* See efi.h. */
#include "firmware/efi.h"

#include "lib/bits.h"
#include "lib/string.h"

#define MAX_CONFIGURATION_TABLES 256

/* UEFI 2.10, "EFI System Table", "EFI Configuration Table": offsets and sizes. */
struct efi_layout {
    size_t pointer_size, entry_count, entries;
};
static const struct efi_layout layout_32 = {4, 64, 68};
static const struct efi_layout layout_64 = {8, 104, 112};
#define GUID_SIZE 16 /* a pointer follows, in an entry of the configuration table */

static const uint8_t guid_smbios[16]  = {0x31, 0x2D, 0x9D, 0xEB, 0x88, 0x2D, 0xD3, 0x11,
                                         0x9A, 0x16, 0x00, 0x90, 0x27, 0x3F, 0xC1, 0x4D};
static const uint8_t guid_smbios3[16] = {0x44, 0x15, 0xFD, 0xF2, 0x94, 0x97, 0x2C, 0x4A,
                                         0x99, 0x2E, 0xE5, 0xBB, 0xCF, 0x20, 0xE3, 0x94};
static const uint8_t guid_acpi[16]    = {0x71, 0xE8, 0x68, 0x88, 0xF1, 0xE4, 0xD3, 0x11,
                                         0xBC, 0x22, 0x00, 0x80, 0xC7, 0x3C, 0x88, 0x81};

/* Reads a number of the size of a pointer. */
static uint64_t read_number(const struct efi_layout *layout, const uint8_t *bytes)
{
    uint64_t number = 0;
    memcpy(&number, bytes, layout->pointer_size);
    return number;
}

/* Maps the entries of the system table's configuration table, and counts them. */
static const uint8_t *map_entries(const struct efi_layout *layout, uint64_t system_table,
                                  physical_map *map, uint64_t *count)
{
    const uint8_t *bytes = map(system_table, layout->entries + layout->pointer_size);
    uint64_t signature;

    if (bytes == NULL)
        return NULL;
    memcpy(&signature, bytes, sizeof(signature));
    *count = read_number(layout, bytes + layout->entry_count);
    if (signature != EFI_SYSTEM_TABLE_SIGNATURE || *count > MAX_CONFIGURATION_TABLES)
        return NULL;
    return map(read_number(layout, bytes + layout->entries),
               *count * (GUID_SIZE + layout->pointer_size));
}

enum status efi_find_tables(uint64_t system_table, bool is_32_bit, physical_map *map,
                            struct efi_tables *tables)
{
    const struct efi_layout *layout = is_32_bit ? &layout_32 : &layout_64;
    const struct {
        const uint8_t *guid;
        uint64_t *address;
    } known[]            = {{guid_smbios3, &tables->smbios_64},
                            {guid_smbios, &tables->smbios_32},
                            {guid_acpi, &tables->rsdp}};
    uint64_t count       = 0;
    const uint8_t *entry = map_entries(layout, system_table, map, &count);

    if (entry == NULL)
        return STATUS_MALFORMED;
    *tables = (struct efi_tables){0};
    for (uint64_t i = 0; i < count; i++) {
        for (size_t j = 0; j < ARRAY_SIZE(known); j++) {
            if (memcmp(entry, known[j].guid, GUID_SIZE) == 0)
                *known[j].address = read_number(layout, entry + GUID_SIZE);
        }
        entry += GUID_SIZE + layout->pointer_size;
    }
    return STATUS_OK;
}
