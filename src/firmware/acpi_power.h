/*
 * How the machine resets and powers off, by the FADT and the package \_S5.
 *
 * There is no AML interpreter: of the DSDT and the SSDTs only \_S5 is read, where it is a
 * constant, as it is on every known machine. Pure.
 */
#ifndef HYMIR_FIRMWARE_ACPI_POWER_H
#define HYMIR_FIRMWARE_ACPI_POWER_H

#include "firmware/acpi.h"
#include "firmware/platform_power.h"

/*
 * Finds how the machine resets and powers off; without a FADT *power is all zero: no way
 * is known.
 */
void acpi_find_power(const struct acpi *acpi, struct platform_power *power);

#endif
