/*
 * UEFI's memory map, tables and variables: src/firmware/efi_boot.c, efi_report.c. The
 * input is used as all three: a byte with the size of a descriptor, followed by the map;
 * memory from address 0; and the results of the services, one call after the other.
 */
#include "fuzz.h"

#include "firmware/efi_report.h"
#include "lib/bits.h"

#define QUERY 3 /* the address of QueryVariableInfo */

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

    if (size < 3)
        return 1;
    if (service == QUERY) {
        for (size_t i = 1; i <= 3; i++)
            *(uint64_t *)arguments[i] = (uint64_t)fuzz_memory[given + i - 1] << 10;
        given += 3;
        return 0;
    }
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

/* Stores the input as a report. */
static void check_report(const uint8_t *memory, size_t size)
{
    static struct efi_exchange exchange;
    static const struct efi_firmware firmware = {{1, 2, QUERY}, call_service, &exchange};
    const struct efi_report report            = {memory, size, 2 * size};
    char buffer[256]                          = "";
    struct text text = {.buffer = buffer, .size = sizeof(buffer)};

    (void)!efi_report_write(&firmware, &report, &text);
    REQUIRE(text.length > 0 && text.length < sizeof(buffer));
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
    given = 0;
    check_report(memory, size);
    free(memory);
    return 0;
}
