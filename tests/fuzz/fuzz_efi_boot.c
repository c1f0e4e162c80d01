/*
 * UEFI's memory map, tables and variables: src/firmware/efi_boot.c. The input is used as
 * all three: a byte with the size of a descriptor, followed by the map; memory from
 * address 0; and the results of the services, one call after the other.
 */
#include "fuzz.h"

#include "firmware/efi.h"
#include "lib/bits.h"

static size_t given; /* bytes returned so far */

static enum status check_region(const struct efi_region *region)
{
    REQUIRE(region->size > 0 && region->start + region->size >= region->start);
    REQUIRE(is_aligned(region->start, PAGE_SIZE) && is_aligned(region->size, PAGE_SIZE));
    return STATUS_OK;
}

/*
 * Returns a variable from the rest of the input: a byte with the status, the size, the
 * data.
 */
static uint64_t call_service(uint64_t service, const uint64_t arguments[EFI_ARGUMENTS])
{
    uint64_t size = fuzz_memory_size - given;

    (void)service;
    if (size < 3)
        return 1;
    if ((arguments[2] & 7) == arguments[2]) /* attributes: SetVariable */
        return fuzz_memory[given++] & 1;
    const uint8_t *bytes = fuzz_memory + given;
    size                 = bytes[1] | (uint64_t)bytes[2] << 8;
    given += 3;
    uint64_t room = fuzz_memory_size - given < EFI_DATA_SIZE ? fuzz_memory_size - given
                                                             : EFI_DATA_SIZE;
    memcpy((void *)arguments[4], fuzz_memory + given, size < room ? size : room);
    given += size < room ? size : room;
    *(uint64_t *)arguments[3] = size;
    return bytes[0] & 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct efi_exchange exchange;
    struct efi_services services = {.get_variable = 1, .set_variable = 2};
    uint16_t entry;

    if (size == 0)
        return 0;
    uint8_t *memory = malloc(size);
    memcpy(memory, data, size);
    fuzz_memory        = memory;
    fuzz_memory_size   = size;
    given              = 0;
    enum status status = efi_visit_runtime(memory + 1, size - 1, memory[0], check_region);
    REQUIRE(status == STATUS_OK || status == STATUS_MALFORMED);
    if (efi_find_services(0, fuzz_map, &services) == STATUS_OK)
        REQUIRE(services.get_variable != 0 && services.set_variable != 0);
    if (efi_boot_next(&services, call_service, &exchange, &entry) == STATUS_OK)
        REQUIRE(given > 0);
    free(memory);
    return 0;
}
