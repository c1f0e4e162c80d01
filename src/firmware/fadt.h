/*
 * Access to the Fixed ACPI Description Table; internal to firmware/.
 *
 * ACPI 6.5, "Fixed ACPI Description Table (FADT)", "Generic Address Structure (GAS)".
 */
#ifndef HYMIR_FIRMWARE_FADT_H
#define HYMIR_FIRMWARE_FADT_H

#include "firmware/acpi.h"
#include "lib/bits.h"
#include "lib/string.h"

/*
 * Returns the register at a generic address. Other address spaces are treated as absent,
 * and so are the first 64 KiB of memory, which some firmware uses for I/O ports.
 */
struct platform_register generic_register(struct generic_address address);

/* Returns a register that the FADT describes twice, by the generic address if valid. */
struct platform_register either_register(struct generic_address wide, uint32_t port);

/* Copies a FADT, padding an older, shorter one with zeros. */
static inline struct fadt fadt_copy(const struct acpi_view *view)
{
    struct fadt fadt = {0};
    memcpy(&fadt, view->bytes, view->length < sizeof(fadt) ? view->length : sizeof(fadt));
    return fadt;
}

#endif
