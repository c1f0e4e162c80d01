/* An SPCR or DBG2 alone, without a checksum: src/firmware/acpi_serial.c. */
#include "fuzz.h"

#include "firmware/acpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct serial_port port = {.address = UINT64_MAX};

    if (size < sizeof(struct acpi_table))
        return 0;
    uint8_t *table = malloc(size);
    memcpy(table, data, size);
    struct acpi_view view = {.bytes = table, .length = size};
    enum status status    = memcmp(table, "DBG2", 4) == 0 ? acpi_read_dbg2(&view, &port)
                                                          : acpi_read_spcr(&view, &port);
    free(table);
    REQUIRE(status == STATUS_OK || port.address == UINT64_MAX);
    if (status != STATUS_OK)
        return 0;
    REQUIRE(serial_port_is_possible(&port));
    REQUIRE(port.space == SERIAL_SPACE_MEMORY || port.address <= 0xFFF8);
    (void)serial_port_divisor(&port);
    return 0;
}
