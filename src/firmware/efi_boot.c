/* See efi.h. Runtime memory, services and variables. */
#include "firmware/efi.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "lib/string.h"

/* UEFI 2.10, "Boot Services", EFI_MEMORY_DESCRIPTOR. */
struct memory_descriptor {
    uint32_t type, reserved;
    uint64_t physical, virtual, pages, attributes;
};
_Static_assert(sizeof(struct memory_descriptor) == 40, "UEFI 2.10, GetMemoryMap()");
#define EFI_MEMORY_WB      BIT(3)
#define EFI_MEMORY_RUNTIME BIT(63)

/* Offsets of pointers in the system table and the runtime services table. */
#define SYSTEM_TABLE_SERVICES      88
#define RUNTIME_SERVICES_SIGNATURE UINT64_C(0x56524553544E5552) /* "RUNTSERV" */
#define RUNTIME_GET_VARIABLE       72
#define RUNTIME_SET_VARIABLE       88
#define TABLE_SIZE                 96 /* the part of either table that is read */

#define EFI_SUCCESS 0

#define EFI_VARIABLE_NON_VOLATILE       BIT(0)
#define EFI_VARIABLE_BOOTSERVICE_ACCESS BIT(1)
#define EFI_VARIABLE_RUNTIME_ACCESS     BIT(2)

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
        if ((descriptor.attributes & EFI_MEMORY_RUNTIME) == 0 || descriptor.pages == 0)
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

/* Reads the pointer at an offset of a table; 0 if the table lacks the signature. */
static uint64_t read_pointer(uint64_t table, uint64_t signature, size_t offset,
                             physical_map *map)
{
    uint64_t words[TABLE_SIZE / sizeof(uint64_t)];
    const void *bytes = table == 0 ? NULL : map(table, TABLE_SIZE);

    if (bytes == NULL)
        return 0;
    memcpy(words, bytes, sizeof(words));
    return words[0] == signature ? words[offset / sizeof(uint64_t)] : 0;
}

enum status efi_find_services(uint64_t system_table, physical_map *map,
                              struct efi_services *services)
{
    uint64_t table = read_pointer(system_table, EFI_SYSTEM_TABLE_SIGNATURE,
                                  SYSTEM_TABLE_SERVICES, map);
    uint64_t get =
        read_pointer(table, RUNTIME_SERVICES_SIGNATURE, RUNTIME_GET_VARIABLE, map);
    uint64_t set =
        read_pointer(table, RUNTIME_SERVICES_SIGNATURE, RUNTIME_SET_VARIABLE, map);

    if (get == 0 || set == 0)
        return STATUS_MALFORMED;
    *services = (struct efi_services){.get_variable = get, .set_variable = set};
    return STATUS_OK;
}

/* ---- Variables --------------------------------------------------------------------- */

/* The services, the function that calls them, and the buffers for their arguments. */
struct firmware {
    const struct efi_services *services;
    efi_call *call;
    struct efi_exchange *exchange;
};

/* Calls GetVariable or SetVariable for a global variable, with exchange->data. */
static bool call_service(const struct firmware *firmware, uint64_t service,
                         const char *name, uint64_t attributes, uint64_t size)
{
    struct efi_exchange *exchange           = firmware->exchange;
    size_t length                           = strlen(name);
    const uint64_t arguments[EFI_ARGUMENTS] = {(uintptr_t)exchange->name,
                                               (uintptr_t)exchange->guid, attributes,
                                               size, (uintptr_t)exchange->data};

    memset(exchange->name, 0, sizeof(exchange->name));
    for (size_t i = 0; i < length && i + 1 < ARRAY_SIZE(exchange->name); i++)
        exchange->name[i] = (uint16_t)name[i];
    memcpy(exchange->guid, guid_global, sizeof(exchange->guid));
    return firmware->call(service, arguments) == EFI_SUCCESS;
}

/* Reads a global variable into exchange->data; false if the service fails. */
static bool get_variable(const struct firmware *firmware, const char *name)
{
    struct efi_exchange *exchange = firmware->exchange;

    exchange->size = EFI_DATA_SIZE;
    return call_service(firmware, firmware->services->get_variable, name,
                        (uintptr_t)&exchange->attributes, (uintptr_t)&exchange->size) &&
           exchange->size <= EFI_DATA_SIZE;
}

static bool set_variable(const struct firmware *firmware, const char *name,
                         uint16_t value)
{
    memcpy(firmware->exchange->data, &value, sizeof(value));
    return call_service(firmware, firmware->services->set_variable, name,
                        EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS |
                            EFI_VARIABLE_RUNTIME_ACCESS,
                        sizeof(value));
}

/* Returns whether the entry is an active boot option, not an application. */
static bool is_bootable(const struct firmware *firmware, uint16_t entry)
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
    const struct firmware firmware = {services, call, exchange};
    uint32_t current               = NO_ENTRY;

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
