/* See smbios_tables.h. */
#include "guest/smbios_tables.h"

#include "lib/bits.h"
#include "lib/string.h"

#define VERSION_MAJOR 3
#define VERSION_MINOR 0

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

/* The structures, one after another. */
struct table {
    uint8_t bytes[SMBIOS_TABLES_SIZE - sizeof(struct entry_point)];
    size_t size;
};

static void table_append(struct table *table, const void *bytes, size_t size)
{
    if (size > sizeof(table->bytes) - table->size)
        return; /* no VM's name is that long */
    memcpy(table->bytes + table->size, bytes, size);
    table->size += size;
}

/* Appends a structure and its strings, ended by an empty one; without any, by two. */
static void table_append_structure(struct table *table, const void *structure,
                                   size_t size, const char *const *strings, size_t count)
{
    table_append(table, structure, size);
    for (size_t i = 0; i < count; i++)
        table_append(table, strings[i], strlen(strings[i]) + 1);
    table_append(table, "\0", count == 0 ? 2 : 1);
}

static void table_fill(struct table *table, const char *vm_name)
{
    static const struct firmware_information firmware = {
        .header                    = {.type = 0, .length = sizeof(firmware), .handle = 0},
        .vendor                    = 1,
        .version                   = 2,
        .characteristics           = CHARACTERISTICS_NOT_SUPPORTED,
        .characteristics_extension = {0, EXTENSION_2_VIRTUAL_MACHINE},
        .major                     = NO_RELEASE,
        .minor                     = NO_RELEASE,
        .controller_major          = NO_RELEASE,
        .controller_minor          = NO_RELEASE,
    };
    static const struct system_information system = {
        .header        = {.type = 1, .length = sizeof(system), .handle = 1},
        .manufacturer  = 1,
        .product       = 2,
        .version       = 3,
        .serial_number = 4,
        .wake_up_type  = WAKE_UP_POWER_SWITCH,
    };
    static const struct structure_header end = {
        .type = TYPE_END, .length = sizeof(end), .handle = 2};
    const char *const firmware_strings[] = {"Hymir", HYMIR_VERSION};
    const char *const system_strings[]   = {"Hymir", "virtual machine", HYMIR_VERSION,
                                          vm_name[0] != '\0' ? vm_name : "-"};

    table_append_structure(table, &firmware, sizeof(firmware), firmware_strings,
                           ARRAY_SIZE(firmware_strings));
    table_append_structure(table, &system, sizeof(system), system_strings,
                           ARRAY_SIZE(system_strings));
    table_append_structure(table, &end, sizeof(end), NULL, 0);
}

/* Returns the byte that makes the sum of all bytes 0. */
static uint8_t checksum_of(const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    uint8_t sum         = 0;

    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + from[i]);
    return (uint8_t)-sum;
}

void smbios_tables_write(const struct guest_memory *memory, const char *vm_name)
{
    struct table table = {.size = 0};
    table_fill(&table, vm_name);

    struct entry_point entry = {
        .anchor        = {'_', 'S', 'M', '3', '_'},
        .length        = sizeof(entry),
        .major         = VERSION_MAJOR,
        .minor         = VERSION_MINOR,
        .revision      = 1,
        .table_size    = (uint32_t)table.size,
        .table_address = SMBIOS_TABLES_ADDRESS + sizeof(entry),
    };
    entry.checksum = checksum_of(&entry, sizeof(entry));
    (void)guest_memory_write(memory, gpa(SMBIOS_TABLES_ADDRESS), &entry, sizeof(entry));
    (void)guest_memory_write(memory, gpa(entry.table_address), table.bytes, table.size);
}
