/* See efi.h. Runtime memory, services and the next boot entry. */
#include "firmware/efi.h"

#include "firmware/efi_variables.h"
#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

/* UEFI 2.10, "Boot Services", EFI_MEMORY_DESCRIPTOR. */
struct memory_descriptor {
    uint32_t type, reserved;
    uint64_t physical, virtual, pages, attributes;
};
_Static_assert(sizeof(struct memory_descriptor) == 40, "UEFI 2.10, GetMemoryMap()");
#define EFI_ACPI_MEMORY_NVS 10 /* EFI_MEMORY_TYPE */
#define EFI_MEMORY_WB       BIT(3)
#define EFI_MEMORY_RUNTIME  BIT(63)

/* Offsets in the system table and the runtime services table. */
#define TABLE_REVISION             8
#define SYSTEM_TABLE_SERVICES      88
#define RUNTIME_SERVICES_SIGNATURE UINT64_C(0x56524553544E5552) /* "RUNTSERV" */
#define RUNTIME_GET_VARIABLE       72
#define RUNTIME_SET_VARIABLE       88
#define RUNTIME_QUERY_INFO         128

#define REVISION_2_0 0x20000

/* EFI_LOAD_OPTION.Attributes. */
#define LOAD_OPTION_ACTIVE   BIT(0)
#define LOAD_OPTION_CATEGORY BITS_MASK(12, 8) /* 0: LOAD_OPTION_CATEGORY_BOOT */

/* EFI_GLOBAL_VARIABLE. */
static const uint8_t guid_global[16] = {0x61, 0xDF, 0xE4, 0x8B, 0xCA, 0x93, 0xD2, 0x11,
                                        0xAA, 0x0D, 0x00, 0xE0, 0x98, 0x03, 0x2B, 0x8C};

/* ---- Runtime memory ---------------------------------------------------------------- */

enum status efi_visit_runtime(const void *map, size_t size, size_t descriptor_size,
                              efi_visit_region *visit)
{
    const uint8_t *bytes = map;
    size_t regions       = 0;

    if (descriptor_size < sizeof(struct memory_descriptor))
        return STATUS_MALFORMED;
    for (size_t i = 0; i < size / descriptor_size; i++) {
        struct memory_descriptor descriptor;
        memcpy(&descriptor, bytes + i * descriptor_size, sizeof(descriptor));
        if (((descriptor.attributes & EFI_MEMORY_RUNTIME) == 0 &&
             descriptor.type != EFI_ACPI_MEMORY_NVS) ||
            descriptor.pages == 0)
            continue;
        if (regions++ == EFI_MAX_REGIONS || !is_aligned(descriptor.physical, PAGE_SIZE) ||
            descriptor.pages > (UINT64_MAX - descriptor.physical) / PAGE_SIZE)
            return STATUS_MALFORMED;
        struct efi_region region = {
            .start     = descriptor.physical,
            .size      = descriptor.pages * PAGE_SIZE,
            .is_device = (descriptor.attributes & EFI_MEMORY_WB) == 0,
        };
        enum status status = visit(&region);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* ---- Services ---------------------------------------------------------------------- */

/* Reads 8 bytes at an offset of a table; 0 if the table lacks the signature. */
static uint64_t read_word(uint64_t table, uint64_t signature, size_t offset,
                          physical_map *map)
{
    uint64_t word;
    const uint8_t *bytes = table == 0 ? NULL : map(table, offset + sizeof(word));

    if (bytes == NULL || memcmp(bytes, &signature, sizeof(signature)) != 0)
        return 0;
    memcpy(&word, bytes + offset, sizeof(word));
    return word;
}

enum status efi_find_services(uint64_t system_table, physical_map *map,
                              struct efi_services *services)
{
    const uint64_t signature = RUNTIME_SERVICES_SIGNATURE;
    uint64_t table =
        read_word(system_table, EFI_SYSTEM_TABLE_SIGNATURE, SYSTEM_TABLE_SERVICES, map);
    struct efi_services found = {
        .get_variable = read_word(table, signature, RUNTIME_GET_VARIABLE, map),
        .set_variable = read_word(table, signature, RUNTIME_SET_VARIABLE, map),
    };

    if (found.get_variable == 0 || found.set_variable == 0)
        return STATUS_MALFORMED;
    if ((uint32_t)read_word(table, signature, TABLE_REVISION, map) >= REVISION_2_0)
        found.query_variable_info = read_word(table, signature, RUNTIME_QUERY_INFO, map);
    *services = found;
    return STATUS_OK;
}

/* ---- The next boot entry ----------------------------------------------------------- */

/* Reads a global variable into exchange->data; false if the service fails. */
static bool get_variable(const struct efi_firmware *firmware, const char *name)
{
    return efi_variable_get(firmware, guid_global, name) == EFI_SUCCESS;
}

static bool set_variable(const struct efi_firmware *firmware, const char *name,
                         uint16_t value)
{
    memcpy(firmware->exchange->data, &value, sizeof(value));
    return efi_variable_set(firmware, guid_global, name, sizeof(value)) == EFI_SUCCESS;
}

/* Returns whether the entry is an active boot option, not an application. */
static bool is_bootable(const struct efi_firmware *firmware, uint16_t entry)
{
    char name[sizeof("Boot0000")];
    uint32_t attributes;

    format_text(name, sizeof(name), "Boot%04X", entry);
    if (!get_variable(firmware, name) || firmware->exchange->size < sizeof(attributes))
        return false;
    memcpy(&attributes, firmware->exchange->data, sizeof(attributes));
    return (attributes & LOAD_OPTION_ACTIVE) != 0 &&
           (attributes & LOAD_OPTION_CATEGORY) == 0;
}

#define NO_ENTRY UINT32_MAX /* not a 16-bit entry number */

/* Returns the index after the entry in the order, or 0 if it is not in the order. */
static size_t position_after(const uint16_t *order, size_t count, uint32_t entry)
{
    for (size_t i = 0; i < count; i++) {
        if (order[i] == entry)
            return i + 1;
    }
    return 0;
}

enum status efi_boot_next(const struct efi_services *services, efi_call *call,
                          struct efi_exchange *exchange, uint16_t *entry)
{
    static uint16_t order[EFI_DATA_SIZE / sizeof(uint16_t)]; /* too large for the stack */
    const struct efi_firmware firmware = {*services, call, exchange};
    uint32_t current                   = NO_ENTRY;

    if (get_variable(&firmware, "BootCurrent") && exchange->size == sizeof(uint16_t))
        current = (uint32_t)exchange->data[0] | (uint32_t)exchange->data[1] << 8;
    if (!get_variable(&firmware, "BootOrder"))
        return STATUS_UNSUPPORTED;
    size_t count = exchange->size / sizeof(uint16_t);
    memcpy(order, exchange->data, count * sizeof(uint16_t));

    size_t start = position_after(order, count, current);
    for (size_t i = 0; i < count; i++) {
        uint16_t next = order[(start + i) % count];
        if (next == current || !is_bootable(&firmware, next))
            continue;
        if (!set_variable(&firmware, "BootNext", next))
            return STATUS_UNSUPPORTED;
        *entry = next;
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}
