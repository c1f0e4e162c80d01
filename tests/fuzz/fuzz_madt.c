/* The entries of a MADT alone, without a checksum: src/firmware/acpi_madt.c. */
#include "fuzz.h"

#include "firmware/acpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t apic_ids[16];

    if (size < sizeof(struct acpi_table))
        return 0;
    uint8_t *table = malloc(size);
    memcpy(table, data, size);
    struct acpi_view view    = {.bytes = table, .length = size};
    struct acpi_listing cpus = acpi_list_cpus(&view, apic_ids, 16);
    REQUIRE(cpus.count <= 16);
    for (size_t i = 0; i < cpus.count; i++) {
        for (size_t j = 0; j < i; j++)
            REQUIRE(apic_ids[i] != apic_ids[j]);
    }
    for (uint8_t interrupt = 0; interrupt < 16; interrupt++) {
        struct acpi_interrupt found = {.io_apic = UINT64_MAX};
        bool is_found = acpi_find_interrupt(&view, interrupt, &found) == STATUS_OK;
        REQUIRE(is_found == (found.io_apic <= UINT32_MAX));
    }
    uint64_t addresses[4];
    struct acpi_listing io_apics = acpi_list_io_apics(&view, addresses, 4);
    REQUIRE(io_apics.count <= 4 && io_apics.is_broken == cpus.is_broken);
    free(table);
    return 0;
}
