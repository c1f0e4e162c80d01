/*
 * The PCI segments other than 0, which the configuration ports do not reach: firmware
 * describes them in ACPI's table MCFG.
 */
#ifndef HYMIR_PLATFORM_PCI_SEGMENTS_H
#define HYMIR_PLATFORM_PCI_SEGMENTS_H

#include "firmware/acpi.h"

/*
 * Maps the configuration space of the segments and makes their functions known to pci.h,
 * if firmware's memory map reserves it; firmware may reserve it only in ACPI's AML, which
 * Hymir does not execute: PCI Firmware Specification 3.3, "MCFG Table Description". Warns
 * about what is unusable. acpi may be NULL. Call once, in Hymir's address space.
 */
void pci_segments_find(const struct acpi *acpi);

#endif
