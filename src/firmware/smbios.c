/* See smbios.h. */
#include "firmware/smbios.h"

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

/* The area that a BIOS machine's entry point lies in, at a multiple of 16 bytes. */
#define ENTRY_POINT_AREA      UINT64_C(0xF0000)
#define ENTRY_POINT_AREA_SIZE UINT64_C(0x10000)
#define ENTRY_POINT_ALIGNMENT 16

struct structure_header {
    uint8_t type;
    uint8_t length; /* of the formatted area, with this header */
    uint16_t handle;
};

/* Offsets of string numbers in structures of types 0 and 1. */
#define STRING_VENDOR_OR_MANUFACTURER  4
#define STRING_VERSION_OR_PRODUCT_NAME 5

enum structure_type {
    STRUCTURE_FIRMWARE = 0,
    STRUCTURE_SYSTEM   = 1,
    STRUCTURE_END      = 127,
};

/* The table of structures. */
struct table {
    uint64_t address;
    uint64_t size;
};

static bool is_entry_point(const uint8_t *bytes, size_t size, const char *anchor,
                           uint8_t length, size_t least)
{
    return memcmp(bytes, anchor, strlen(anchor)) == 0 && length >= least &&
           length <= size && has_valid_checksum(bytes, length);
}

/* Reads the entry point, of either format, at the start of size bytes. */
static bool read_entry_point(const uint8_t *bytes, size_t size, struct table *table)
{
    struct entry_point_32 entry_32;
    struct entry_point_64 entry_64;

    if (size < sizeof(entry_32))
        return false;
    memcpy(&entry_32, bytes, sizeof(entry_32));
    memcpy(&entry_64, bytes, sizeof(entry_64));
    if (is_entry_point(bytes, size, "_SM3_", entry_64.length, sizeof(entry_64)))
        *table = (struct table){entry_64.table_address, entry_64.table_max_size};
    else if (is_entry_point(bytes, size, "_SM_", entry_32.length, sizeof(entry_32) - 1))
        *table = (struct table){entry_32.table_address, entry_32.table_length};
    else
        return false;
    return true;
}

/*
 * Copies the string with a number, from 1, of the string set between strings and end,
 * without blanks around it.
 */
static void copy_string(const uint8_t *strings, const uint8_t *end, unsigned int number,
                        char text[SMBIOS_TEXT_SIZE])
{
    if (number == 0)
        return;
    for (unsigned int i = 1; i < number; i++) {
        while (strings < end && *strings != '\0')
            strings++;
        if (strings < end)
            strings++;
        if (strings == end || *strings == '\0')
            return; /* the set has fewer strings */
    }
    while (strings < end && *strings == ' ')
        strings++;
    size_t length = 0;
    while (strings + length < end && strings[length] != '\0')
        length++;
    while (length > 0 && strings[length - 1] == ' ')
        length--;
    text_copy_shortened(text, SMBIOS_TEXT_SIZE, (const char *)strings, length);
    text_make_printable(text, strlen(text));
}

/* Returns the end of the string set at bytes, after two NULs; NULL if unterminated. */
static const uint8_t *strings_end(const uint8_t *bytes, const uint8_t *end)
{
    for (; end - bytes >= 2; bytes++) {
        if (bytes[0] == '\0' && bytes[1] == '\0')
            return bytes + 2;
    }
    return NULL;
}

/* Copies the two strings of a structure of type 0 or 1. */
static void copy_strings(const uint8_t *structure, const uint8_t *end, char *first,
                         char *second)
{
    uint8_t length = structure[offsetof(struct structure_header, length)];
    if (length <= STRING_VERSION_OR_PRODUCT_NAME)
        return;
    const uint8_t *strings = structure + length;
    copy_string(strings, end, structure[STRING_VENDOR_OR_MANUFACTURER], first);
    copy_string(strings, end, structure[STRING_VERSION_OR_PRODUCT_NAME], second);
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
            copy_strings(bytes, next, smbios->firmware_vendor, smbios->firmware_version);
        else if (header.type == STRUCTURE_SYSTEM)
            copy_strings(bytes, next, smbios->manufacturer, smbios->product);
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
    const uint8_t *area = map(ENTRY_POINT_AREA, ENTRY_POINT_AREA_SIZE);
    struct table table;

    for (uint64_t offset = 0; area != NULL && offset < ENTRY_POINT_AREA_SIZE;
         offset += ENTRY_POINT_ALIGNMENT) {
        if (read_entry_point(area + offset, ENTRY_POINT_AREA_SIZE - offset, &table) &&
            read_table(&table, map, smbios) == STATUS_OK)
            return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}
