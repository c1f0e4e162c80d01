/* See acpi.h. */
#include "firmware/acpi.h"

#include "firmware/fadt.h"

/* IA-PC HPET specification, "The ACPI 2.0 HPET Description Table (HPET)". */
struct __attribute__((packed)) hpet_table {
    struct acpi_table header;
    uint32_t timer_block;
    struct generic_address address;
};
_Static_assert(offsetof(struct hpet_table, address) == 40, "IA-PC HPET, HPET table");

void acpi_find_timers(const struct acpi *acpi, struct acpi_timers *timers)
{
    struct acpi_view view;
    struct hpet_table hpet;

    memset(timers, 0, sizeof(*timers));
    if (acpi_find(acpi, "FACP", &view) == STATUS_OK) {
        struct fadt fadt = fadt_copy(&view);
        if ((fadt.flags & FADT_HW_REDUCED_ACPI) == 0)
            timers->pm_timer = either_register(fadt.x_pm_timer, fadt.pm_timer);
        timers->is_pm_timer_32_bit = (fadt.flags & FADT_TMR_VAL_EXT) != 0;
    }
    if (acpi_find(acpi, "HPET", &view) != STATUS_OK || view.length < sizeof(hpet))
        return;
    memcpy(&hpet, view.bytes, sizeof(hpet));
    if (generic_register(hpet.address).space == REGISTER_MEMORY)
        timers->hpet = hpet.address.address;
}
