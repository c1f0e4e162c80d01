/*
 * The layout of the Fixed ACPI Description Table; internal to firmware/.
 *
 * ACPI 6.5, "Fixed ACPI Description Table (FADT)", "Generic Address Structure (GAS)".
 */
#ifndef HYMIR_FIRMWARE_FADT_H
#define HYMIR_FIRMWARE_FADT_H

#include "firmware/acpi.h"
#include "lib/bits.h"
#include "lib/string.h"

/* ACPI 6.5, "Generic Address Structure (GAS)". */
struct __attribute__((packed)) generic_address {
    uint8_t space; /* GAS_... */
    uint8_t bit_width, bit_offset, access_size;
    uint64_t address;
};
_Static_assert(sizeof(struct generic_address) == 12, "ACPI 6.5, GAS");
#define GAS_SYSTEM_MEMORY 0
#define GAS_SYSTEM_IO     1
#define GAS_PCI           2                            /* configuration space of bus 0 */
#define GAS_PCI_BITS      UINT64_C(0x0000001F000700FF) /* of device, function, offset */

/* ACPI 6.5, "Fixed ACPI Description Table (FADT)"; older tables end early. */
struct __attribute__((packed)) fadt {
    struct acpi_table header;
    uint32_t firmware_control, dsdt;
    uint8_t reserved_44, preferred_profile;
    uint16_t sci_interrupt;
    uint32_t smi_command;
    uint8_t acpi_enable, acpi_disable, s4bios_request, pstate_control;
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control;
    uint32_t pm2_control, pm_timer;
    uint8_t between_80_and_112[32];
    uint32_t flags;
    struct generic_address reset_register;
    uint8_t reset_value;
    uint8_t between_129_and_140[11];
    uint64_t x_dsdt;
    struct generic_address x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control;
    struct generic_address x_pm2_control, x_pm_timer;
    uint8_t between_220_and_244[24];
    struct generic_address sleep_control;
};
_Static_assert(offsetof(struct fadt, smi_command) == 48, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, pm1a_event) == 56, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, pm1a_control) == 64, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, pm_timer) == 76, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, flags) == 112, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, reset_register) == 116, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, x_dsdt) == 140, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, x_pm1a_event) == 148, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, x_pm1a_control) == 172, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, x_pm_timer) == 208, "ACPI 6.5, FADT");
_Static_assert(offsetof(struct fadt, sleep_control) == 244, "ACPI 6.5, FADT");
#define FADT_TMR_VAL_EXT     BIT(8)
#define FADT_RESET_REG_SUP   BIT(10)
#define FADT_HW_REDUCED_ACPI BIT(20)

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
