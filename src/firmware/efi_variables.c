/* See efi_variables.h. */
#include "firmware/efi_variables.h"

#include "lib/string.h"

#define EFI_VARIABLE_NON_VOLATILE       BIT(0)
#define EFI_VARIABLE_BOOTSERVICE_ACCESS BIT(1)
#define EFI_VARIABLE_RUNTIME_ACCESS     BIT(2)
#define ATTRIBUTES                                                 \
    (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | \
     EFI_VARIABLE_RUNTIME_ACCESS)

/* Calls GetVariable or SetVariable with exchange->data. */
static uint64_t call_service(const struct efi_firmware *firmware, uint64_t service,
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
    return firmware->call(service, arguments);
}

uint64_t efi_variable_get(const struct efi_firmware *firmware,
                          const uint8_t guid[EFI_GUID_SIZE], const char *name)
{
    struct efi_exchange *exchange = firmware->exchange;

    exchange->size = EFI_DATA_SIZE;
    memcpy(exchange->guid, guid, EFI_GUID_SIZE);
    uint64_t status =
        call_service(firmware, firmware->services.get_variable, name,
                     (uintptr_t)&exchange->attributes, (uintptr_t)&exchange->size);
    if (status == EFI_SUCCESS && exchange->size > EFI_DATA_SIZE)
        return EFI_BAD_BUFFER_SIZE;
    return status;
}

uint64_t efi_variable_set(const struct efi_firmware *firmware,
                          const uint8_t guid[EFI_GUID_SIZE], const char *name,
                          uint64_t size)
{
    memcpy(firmware->exchange->guid, guid, EFI_GUID_SIZE);
    return call_service(firmware, firmware->services.set_variable, name, ATTRIBUTES,
                        size);
}

uint64_t efi_variable_query(const struct efi_firmware *firmware,
                            struct efi_storage *storage)
{
    uint64_t *info                          = firmware->exchange->info;
    const uint64_t arguments[EFI_ARGUMENTS] = {ATTRIBUTES, (uintptr_t)&info[0],
                                               (uintptr_t)&info[1], (uintptr_t)&info[2]};

    memset(info, 0, sizeof(firmware->exchange->info));
    uint64_t status = firmware->call(firmware->services.query_variable_info, arguments);
    if (status == EFI_SUCCESS)
        *storage = (struct efi_storage){info[0], info[1], info[2]};
    return status;
}

void efi_status_append(uint64_t status, struct text *text)
{
    static const struct {
        uint64_t code;
        const char *name;
    } names[] = {
        {2, "INVALID_PARAMETER"}, {3, "UNSUPPORTED"},         {4, "BAD_BUFFER_SIZE"},
        {5, "BUFFER_TOO_SMALL"},  {7, "DEVICE_ERROR"},        {8, "WRITE_PROTECTED"},
        {9, "OUT_OF_RESOURCES"},  {14, "NOT_FOUND"},          {15, "ACCESS_DENIED"},
        {21, "ABORTED"},          {26, "SECURITY_VIOLATION"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (status == (EFI_ERROR | names[i].code))
            text_append(text, "EFI_%s, ", names[i].name);
    }
    text_append(text, "status 0x%lx", status);
}
