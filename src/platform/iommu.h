/*
 * Finds the units that translate the addresses of devices, and reads what they support.
 */
#ifndef HYMIR_PLATFORM_IOMMU_H
#define HYMIR_PLATFORM_IOMMU_H

#include "firmware/acpi.h"
#include "x86/iommu.h"

/*
 * Fills in *iommus from the tables DMAR and IVRS, and from the units' registers. A unit
 * that does not respond, or whose registers are not device memory, is logged. Called on
 * the boot CPU; the memory for the units is never freed.
 */
void iommus_read(const struct acpi *acpi, struct iommus *iommus);

#endif
