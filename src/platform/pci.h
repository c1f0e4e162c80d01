/*
 * PCI: the functions of the machine, and their configuration space.
 *
 * Uses the ports of configuration mechanism #1, which every PC with PCI has; they reach
 * the first segment, and the first 256 bytes of each function. PCI Local Bus
 * Specification 3.0, "Configuration Space". For the boot CPU, or the only CPU that still
 * runs: the ports cannot be shared.
 */
#ifndef HYMIR_PLATFORM_PCI_H
#define HYMIR_PLATFORM_PCI_H

#include "x86/pci.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a function is. */
struct pci_address {
    uint8_t bus;
    uint8_t device;   /* below PCI_DEVICES */
    uint8_t function; /* below PCI_FUNCTIONS */
};

/* A function, as its header describes it. */
struct pci_function {
    struct pci_address address;
    uint16_t vendor_id, device_id;
    uint8_t base_class, sub_class, programming_interface;
    uint8_t header_layout; /* PCI_HEADER_DEVICE, or a bridge's */
};

/* Returns whether the machine has the ports; without them nothing below does anything. */
bool pci_is_present(void);

/*
 * Read and write a register at an offset that its size divides. A function that does not
 * exist reads as all ones, and ignores writes.
 */
uint32_t pci_read32(struct pci_address address, uint8_t offset);
uint16_t pci_read16(struct pci_address address, uint8_t offset);
uint8_t pci_read8(struct pci_address address, uint8_t offset);
void pci_write32(struct pci_address address, uint8_t offset, uint32_t value);
void pci_write16(struct pci_address address, uint8_t offset, uint16_t value);
void pci_write8(struct pci_address address, uint8_t offset, uint8_t value);

/*
 * Calls visit with each function, by ascending address. Probes all 256 buses instead of
 * following bridges: further root buses are described only in AML, and no bridge can
 * mislead the walk. That takes at most 65536 probes, commonly 8192 of about a
 * microsecond.
 */
void pci_walk(void (*visit)(const struct pci_function *function, void *context),
              void *context);

#endif
