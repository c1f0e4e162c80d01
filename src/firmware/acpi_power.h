/*
 * Finds the registers for reset and power-off, from the FADT and the package \_S5.
 *
 * There is no AML interpreter: \_S5 is searched in the DSDT and the SSDTs, and must be
 * constant, as it is on every known machine. Pure.
 */
#ifndef HYMIR_FIRMWARE_ACPI_POWER_H
#define HYMIR_FIRMWARE_ACPI_POWER_H

#include "firmware/acpi.h"
#include "firmware/platform_power.h"

/* Fills in *power; all zero (nothing supported) without a FADT. */
void acpi_find_power(const struct acpi *acpi, struct platform_power *power);

#endif
