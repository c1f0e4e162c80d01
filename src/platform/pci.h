/*
 * PCI: the functions of the machine, and their configuration space.
 *
 * Uses the ports of configuration mechanism #1 for segment 0, which every PC with PCI
 * has, and memory for other segments, once pci_add_buses has told where: the first 256
 * bytes of each function. PCI Local Bus Specification 3.0, "Configuration Space". For the
 * boot CPU, or the only CPU that still runs: the ports cannot be shared.
 */
#ifndef HYMIR_PLATFORM_PCI_H
#define HYMIR_PLATFORM_PCI_H

#include "firmware/acpi.h"
#include "lib/format.h"
#include "lib/status.h"
#include "x86/pci.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a function is. */
struct pci_address {
    uint16_t segment;
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

/*
 * Makes buses of a segment other than 0 accessible, whose registers are mapped.
 * STATUS_NO_MEMORY if PCI_RANGES_MAX ranges of buses are known already.
 */
#define PCI_RANGES_MAX 64
enum status MUST_CHECK pci_add_buses(const struct acpi_pci_buses *buses);

/* Returns whether the machine has the ports; without them segment 0 is empty. */
bool pci_is_present(void);

/* Appends an address for display, such as 00:1f.2, or 0001:00:1f.2 in segment 1. */
void pci_describe(struct pci_address address, struct text *text);
#define PCI_TEXT_SIZE 13

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
 * Calls visit with each function, by ascending address in segment 0, then in the others
 * by the order of pci_add_buses. Probes all 256 buses of segment 0 instead of following
 * bridges: further root buses are described only in AML, and no bridge can mislead the
 * walk. That takes at most 65536 probes, commonly 8192 of about a microsecond.
 */
void pci_walk(void (*visit)(const struct pci_function *function, void *context),
              void *context);

#endif
