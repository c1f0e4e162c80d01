/*
 * UEFI's variable services, as calls with arguments in struct efi_exchange.
 *
 * UEFI 2.10, "Variable Services", "Status Codes". Pure except for calls through the
 * caller's function. What firmware returns is checked: no size exceeds the exchange.
 */
#ifndef HYMIR_FIRMWARE_EFI_VARIABLES_H
#define HYMIR_FIRMWARE_EFI_VARIABLES_H

#include "firmware/efi.h"
#include "lib/bits.h"
#include "lib/format.h"

/* Status codes that Hymir acts on. */
#define EFI_SUCCESS         0
#define EFI_ERROR           BIT(63)
#define EFI_BAD_BUFFER_SIZE (EFI_ERROR | 4)
#define EFI_NOT_FOUND       (EFI_ERROR | 14)
#define EFI_ABORTED         (EFI_ERROR | 21)

/* The services, the function that calls them, and the buffers for their arguments. */
struct efi_firmware {
    struct efi_services services;
    efi_call *call;
    struct efi_exchange *exchange;
};

#define EFI_GUID_SIZE 16

/*
 * Reads a variable into exchange->data and exchange->size. The name is ASCII, of at most
 * 15 characters. Returns the status; EFI_BAD_BUFFER_SIZE for a size above EFI_DATA_SIZE.
 */
uint64_t MUST_CHECK efi_variable_get(const struct efi_firmware *firmware,
                                     const uint8_t guid[EFI_GUID_SIZE], const char *name);

/*
 * Writes a variable that is kept without power and that operating systems can read: size
 * bytes of exchange->data; 0 deletes it. Returns the status.
 */
uint64_t MUST_CHECK efi_variable_set(const struct efi_firmware *firmware,
                                     const uint8_t guid[EFI_GUID_SIZE], const char *name,
                                     uint64_t size);

/* The store of such variables, in bytes, as firmware reports it. */
struct efi_storage {
    uint64_t total, free;
    uint64_t largest; /* variable, with its name */
};

/* Queries the store; the service exists. Returns the status. */
uint64_t MUST_CHECK efi_variable_query(const struct efi_firmware *firmware,
                                       struct efi_storage *storage);

/* Appends a status: its name, if it is an error of these services, and its value. */
void efi_status_append(uint64_t status, struct text *text);

#endif
