/*
 * The clocks of a PC that run at a known frequency: the ACPI power management timer, the
 * HPET and the 8254.
 *
 * ACPI 6.5, "Power Management Timer"; IA-PC HPET specification, "Register Model"; Intel
 * 8254 data sheet. The functions are for the boot CPU.
 */
#ifndef HYMIR_PLATFORM_REFERENCE_CLOCKS_H
#define HYMIR_PLATFORM_REFERENCE_CLOCKS_H

#include "firmware/acpi.h"
#include "platform/tsc_frequency.h"

/*
 * Counter 2 of the 8254: runs between pit_clock_start and pit_clock_stop, which restores
 * port B. Wraps every 55 ms.
 */
extern const struct reference_clock pit_clock;
void pit_clock_start(void);
void pit_clock_stop(void);

/*
 * Returns the ACPI PM timer or, without one that counts, the HPET, which is enabled if it
 * is not. NULL if the tables (NULL: none) describe neither. The PM timer wraps every 4.7
 * s or later, the HPET every 43 s or later.
 */
const struct reference_clock *reference_clock_find(const struct acpi *acpi);

/*
 * Returns an HPET that counts at the address where PCs have it, or NULL: for machines
 * without the table that describes it.
 */
const struct reference_clock *reference_clock_find_unlisted(void);

/* Samples a clock several times and returns the sample of the fastest access. */
struct clock_sample reference_clock_sample(const struct reference_clock *clock);

#endif
