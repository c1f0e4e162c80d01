/* The entries of a DMAR or IVRS alone, without a checksum: src/firmware/acpi_iommu.c. */
#include "fuzz.h"

#include "firmware/acpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t addresses[4];

    if (size < sizeof(struct acpi_table))
        return 0;
    uint8_t *table = malloc(size);
    memcpy(table, data, size);
    struct acpi_view view     = {.bytes = table, .length = size};
    struct acpi_listing units = acpi_list_units(&view, addresses, 4);
    REQUIRE(units.count <= 4);
    REQUIRE(units.dropped == 0 || units.count == 4);
    REQUIRE((units.count + units.dropped) * 16 <= size);
    for (size_t i = 1; i < units.count; i++)
        REQUIRE(addresses[i] != addresses[i - 1]);
    free(table);
    return 0;
}
