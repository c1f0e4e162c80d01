/*
 * SMBIOS and the EFI system table: src/firmware/smbios.c, efi.c. The input is the
 * machine's memory, with the entry point or the system table at its start.
 */
#include "fuzz.h"

#include "firmware/efi.h"
#include "firmware/smbios.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smbios smbios;
    struct efi_tables tables;
    uint8_t *memory = malloc(size);

    memcpy(memory, data, size);
    fuzz_memory      = memory;
    fuzz_memory_size = size;
    if (smbios_read(0, fuzz_map, &smbios) == STATUS_OK) {
        REQUIRE(strlen(smbios.manufacturer) < SMBIOS_TEXT_SIZE);
        REQUIRE(strlen(smbios.product) < SMBIOS_TEXT_SIZE);
        REQUIRE(strlen(smbios.firmware_vendor) < SMBIOS_TEXT_SIZE);
        REQUIRE(strlen(smbios.firmware_version) < SMBIOS_TEXT_SIZE);
    }
    for (int is_32_bit = 0; is_32_bit < 2; is_32_bit++) {
        if (efi_find_tables(0, is_32_bit != 0, fuzz_map, &tables) != STATUS_OK)
            continue;
        (void)!smbios_read(tables.smbios_64, fuzz_map, &smbios);
        (void)!smbios_read(tables.smbios_32, fuzz_map, &smbios);
    }
    free(memory);
    return 0;
}
