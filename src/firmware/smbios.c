/* See smbios.h. */
#include "firmware/smbios.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

/* DSP0134, "SMBIOS 2.1 (32-bit) Entry Point". */
struct __attribute__((packed)) entry_point_32 {
    char anchor[4]; /* _SM_ */
    uint8_t checksum, length, major, minor;
    uint16_t max_structure_size;
    uint8_t revision;
    uint8_t formatted[5];
    char intermediate_anchor[5]; /* _DMI_ */
    uint8_t intermediate_checksum;
    uint16_t table_length;
    uint32_t table_address;
    uint16_t structure_count;
    uint8_t bcd_revision;
};
_Static_assert(sizeof(struct entry_point_32) == 31, "DSP0134, 32-bit entry point");

/* DSP0134, "SMBIOS 3.0 (64-bit) Entry Point". */
struct __attribute__((packed)) entry_point_64 {
    char anchor[5]; /* _SM3_ */
    uint8_t checksum, length, major, minor, docrev, revision, reserved;
    uint32_t table_max_size;
    uint64_t table_address;
};
_Static_assert(sizeof(struct entry_point_64) == 24, "DSP0134, 64-bit entry point");

#define TABLE_MAX_SIZE 0x100000

struct structure_header {
    uint8_t type;
    uint8_t length; /* of the formatted part, with this header */
    uint16_t handle;
};

enum structure_type {
    STRUCTURE_FIRMWARE = 0,
    STRUCTURE_SYSTEM   = 1,
    STRUCTURE_END      = 127,
};

/* Where a table of structures lies. */
struct table {
    uint64_t address;
    uint64_t size;
};

static bool read_entry_point_64(const uint8_t *bytes, size_t size, struct table *table)
{
    struct entry_point_64 entry;
    if (size < sizeof(entry))
        return false;
    memcpy(&entry, bytes, sizeof(entry));
    if (memcmp(entry.anchor, "_SM3_", 5) != 0 || entry.length < sizeof(entry) ||
        entry.length > size || !has_valid_checksum(bytes, entry.length))
        return false;
    *table = (struct table){.address = entry.table_address, .size = entry.table_max_size};
    return true;
}

static bool read_entry_point_32(const uint8_t *bytes, size_t size, struct table *table)
{
    struct entry_point_32 entry;
    if (size < sizeof(entry))
        return false;
    memcpy(&entry, bytes, sizeof(entry));
    if (memcmp(entry.anchor, "_SM_", 4) != 0 || entry.length < sizeof(entry) - 1 ||
        entry.length > size || !has_valid_checksum(bytes, entry.length))
        return false;
    *table = (struct table){.address = entry.table_address, .size = entry.table_length};
    return true;
}

static bool read_entry_point(const uint8_t *bytes, size_t size, struct table *table)
{
    return read_entry_point_64(bytes, size, table) ||
           read_entry_point_32(bytes, size, table);
}

/*
 * Copies a string of the set that starts at strings and ends before end; number counts
 * from 1.
 */
static void copy_string(const uint8_t *strings, const uint8_t *end, unsigned int number,
                        char text[SMBIOS_TEXT_SIZE])
{
    size_t length = 0;

    if (number == 0)
        return;
    for (unsigned int i = 1; i < number; i++) {
        while (strings < end && *strings != '\0')
            strings++;
        if (strings < end)
            strings++;
        if (strings == end || *strings == '\0')
            return; /* the set ends before this number */
    }
    while (strings < end && *strings == ' ')
        strings++;
    for (; strings < end && *strings != '\0' && length < SMBIOS_TEXT_SIZE - 1; strings++)
        text[length++] = (char)*strings;
    text_make_printable(text, length);
    while (length > 0 && text[length - 1] == ' ')
        length--;
    text[length] = '\0';
}

/*
 * The end of the string set that starts at bytes: behind two NULs in a row. NULL if it
 * has none.
 */
static const uint8_t *strings_end(const uint8_t *bytes, const uint8_t *end)
{
    for (; end - bytes >= 2; bytes++) {
        if (bytes[0] == '\0' && bytes[1] == '\0')
            return bytes + 2;
    }
    return NULL;
}

/* Takes the two strings whose numbers stand at offsets 4 and 5 of a structure. */
static void take_strings(const uint8_t *structure, const uint8_t *end, char *first,
                         char *second)
{
    uint8_t length = structure[1];
    if (length < 6)
        return;
    copy_string(structure + length, end, structure[4], first);
    copy_string(structure + length, end, structure[5], second);
}

static void read_structures(const uint8_t *bytes, size_t size, struct smbios *smbios)
{
    const uint8_t *end = bytes + size;

    while ((size_t)(end - bytes) >= sizeof(struct structure_header)) {
        struct structure_header header;
        memcpy(&header, bytes, sizeof(header));
        if (header.length < sizeof(header) || header.length > end - bytes)
            return;
        const uint8_t *next = strings_end(bytes + header.length, end);
        if (next == NULL || header.type == STRUCTURE_END)
            return;
        if (header.type == STRUCTURE_FIRMWARE)
            take_strings(bytes, next, smbios->firmware_vendor, smbios->firmware_version);
        else if (header.type == STRUCTURE_SYSTEM)
            take_strings(bytes, next, smbios->manufacturer, smbios->product);
        bytes = next;
    }
}

static enum status read_table(const struct table *table, physical_map *map,
                              struct smbios *smbios)
{
    uint64_t size     = table->size < TABLE_MAX_SIZE ? table->size : TABLE_MAX_SIZE;
    const void *bytes = size == 0 ? NULL : map(table->address, size);
    if (bytes == NULL)
        return STATUS_MALFORMED;
    memset(smbios, 0, sizeof(*smbios));
    read_structures(bytes, size, smbios);
    return STATUS_OK;
}

enum status smbios_read(uint64_t entry_point, physical_map *map, struct smbios *smbios)
{
    struct table table;
    size_t size          = sizeof(struct entry_point_32);
    const uint8_t *bytes = map(entry_point, size);
    if (bytes == NULL || !read_entry_point(bytes, size, &table))
        return STATUS_MALFORMED;
    return read_table(&table, map, smbios);
}

enum status smbios_scan_low_memory(physical_map *map, struct smbios *smbios)
{
    static const uint64_t start = 0xF0000;
    static const uint64_t size  = 0x10000;
    const uint8_t *area         = map(start, size);
    struct table table;

    for (uint64_t offset = 0; area != NULL && offset < size; offset += 16) {
        if (read_entry_point(area + offset, size - offset, &table) &&
            read_table(&table, map, smbios) == STATUS_OK)
            return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}
