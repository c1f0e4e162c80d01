/* See smbios_tables.h. */
#include "guest/smbios_tables.h"

#include "lib/bits.h"
#include "lib/string.h"

#define VERSION_MAJOR 3
#define VERSION_MINOR 0
#define MAX_SERIAL    64 /* characters; no VM's name is that long */

/* DSP0134, "SMBIOS 3.0 (64-bit) Entry Point". */
struct __attribute__((packed)) entry_point {
    char anchor[5];
    uint8_t checksum, length, major, minor, document_revision, revision, reserved;
    uint32_t table_size;
    uint64_t table_address;
};
_Static_assert(sizeof(struct entry_point) == 24, "DSP0134, 64-bit entry point");

struct __attribute__((packed)) structure_header {
    uint8_t type;
    uint8_t length; /* without the strings */
    uint16_t handle;
};

/* Strings are numbered from 1; 0 is none. */
struct __attribute__((packed)) firmware_information {
    struct structure_header header;
    uint8_t vendor, version;
    uint16_t start_segment;
    uint8_t release_date, rom_size;
    uint64_t characteristics;
    uint8_t characteristics_extension[2];
    uint8_t major, minor, controller_major, controller_minor;
};
_Static_assert(sizeof(struct firmware_information) == 24, "DSP0134, type 0");
#define CHARACTERISTICS_NOT_SUPPORTED BIT(3)
#define EXTENSION_2_VIRTUAL_MACHINE   BIT(4)
#define NO_RELEASE                    UINT8_MAX

struct __attribute__((packed)) system_information {
    struct structure_header header;
    uint8_t manufacturer, product, version, serial_number;
    uint8_t uuid[16]; /* all 0: none */
    uint8_t wake_up_type, sku, family;
};
_Static_assert(sizeof(struct system_information) == 27, "DSP0134, type 1");
#define WAKE_UP_POWER_SWITCH 6

#define TYPE_END 127

/* Strings follow a structure, each ended by a NUL, all ended by another. */
#define FIRMWARE_STRINGS "Hymir\0" HYMIR_VERSION "\0"
#define SYSTEM_STRINGS   "Hymir\0virtual machine\0" HYMIR_VERSION

static const struct __attribute__((packed)) {
    struct firmware_information firmware;
    char firmware_strings[sizeof(FIRMWARE_STRINGS)];
    struct system_information system;
    char system_strings[sizeof(SYSTEM_STRINGS)]; /* and the serial number */
} tables = {
    .firmware =
        {
            .header                    = {0, sizeof(struct firmware_information), 0},
            .vendor                    = 1,
            .version                   = 2,
            .characteristics           = CHARACTERISTICS_NOT_SUPPORTED,
            .characteristics_extension = {0, EXTENSION_2_VIRTUAL_MACHINE},
            .major                     = NO_RELEASE,
            .minor                     = NO_RELEASE,
            .controller_major          = NO_RELEASE,
            .controller_minor          = NO_RELEASE,
        },
    .firmware_strings = FIRMWARE_STRINGS,
    .system =
        {
            .header        = {1, sizeof(struct system_information), 1},
            .manufacturer  = 1,
            .product       = 2,
            .version       = 3,
            .serial_number = 4,
            .wake_up_type  = WAKE_UP_POWER_SWITCH,
        },
    .system_strings = SYSTEM_STRINGS,
};

static const struct __attribute__((packed)) {
    char end_of_serial[2];
    struct structure_header header;
    char no_strings[2];
} tables_end = {.header = {TYPE_END, sizeof(struct structure_header), 2}};

_Static_assert(sizeof(struct entry_point) + sizeof(tables) + MAX_SERIAL +
                       sizeof(tables_end) <=
                   SMBIOS_TABLES_SIZE,
               "the largest size");

void smbios_tables_write(const struct guest_memory *memory, const char *vm_name)
{
    const char *serial = vm_name[0] != '\0' ? vm_name : "-";
    size_t length      = strlen(serial);

    if (length > MAX_SERIAL)
        length = MAX_SERIAL;
    struct entry_point entry = {
        .anchor        = {'_', 'S', 'M', '3', '_'},
        .length        = sizeof(entry),
        .major         = VERSION_MAJOR,
        .minor         = VERSION_MINOR,
        .revision      = 1,
        .table_size    = (uint32_t)(sizeof(tables) + length + sizeof(tables_end)),
        .table_address = SMBIOS_TABLES_ADDRESS + sizeof(entry),
    };
    uint64_t at = entry.table_address;

    entry.checksum = (uint8_t)-byte_sum(&entry, sizeof(entry)); /* adds up to 0 */
    (void)guest_memory_write(memory, gpa(SMBIOS_TABLES_ADDRESS), &entry, sizeof(entry));
    (void)guest_memory_write(memory, gpa(at), &tables, sizeof(tables));
    at += sizeof(tables);
    (void)guest_memory_write(memory, gpa(at), serial, length);
    (void)guest_memory_write(memory, gpa(at + length), &tables_end, sizeof(tables_end));
}
