/*
 * ACPI's fixed hardware, as a guest sees it: PM1 event and control registers, and the PM
 * timer of 32 bits.
 *
 * ACPI 6.5, "ACPI Hardware Specification", "Fixed Hardware Features". Always in ACPI
 * mode: without system management mode there is no legacy mode to leave ("PM1 Enable
 * Registers": "For ACPI-only platforms (where SCI_EN is always set)"), and the FADT has
 * no SMI command port. Events: the PM timer's carry, and the power button. The ports are
 * those of QEMU's machines, which guests without an ACPI interpreter know: S5 is sleep
 * type 0 at port 0x604. Other sleep types do nothing.
 */
#ifndef HYMIR_DEV_ACPI_PM_H
#define HYMIR_DEV_ACPI_PM_H

#include "dev/interrupt_line.h"
#include "dev/port_map.h"
#include "dev/timer.h"

#include <stdint.h>

#define ACPI_PM_PORT         0x600 /* the event block */
#define ACPI_PM_PORT_CONTROL 0x604
#define ACPI_PM_PORT_TIMER   0x608
#define ACPI_PM_S5           0U /* its sleep type, as in guest/dsdt.asl */
#define ACPI_PM_SCI          9  /* the ISA line of its output, the SCI */

/* The PM1 registers, of 16 bits. */
enum acpi_pm_register {
    ACPI_PM_STATUS,
    ACPI_PM_ENABLE,
    ACPI_PM_CONTROL,
    ACPI_PM_REGISTERS,
};

struct acpi_pm {
    uint16_t registers[ACPI_PM_REGISTERS];
    uint64_t carries_seen;     /* by the status: the times that bit 31 changed */
    struct device_timer timer; /* for the next one, while TMR_EN is set */
    uint64_t factor; /* for ticks_scale: from the clock's ticks to PM_TIMER_HZ */
    struct interrupt_line *sci;
    struct vcpu *const *accessor; /* the vCPU to end */
};

/* Resets it and adds its ports. The clock has more than half of PM_TIMER_HZ. */
void acpi_pm_init(struct acpi_pm *pm, struct port_map *ports, struct device_clock *clock,
                  struct interrupt_line *sci);

/* Returns the PM timer. Changes nothing: any CPU may call this at any time. */
uint32_t acpi_pm_read_timer(const struct acpi_pm *pm);

/* Presses the power button: a guest that has enabled the event shuts down. */
void acpi_pm_press_power_button(struct acpi_pm *pm);

#endif
