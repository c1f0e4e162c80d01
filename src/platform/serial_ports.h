/*
 * The serial ports that firmware's tables and PCI describe.
 *
 * Owns none of them; console/ chooses one. Microsoft, "Serial Port Console Redirection
 * Table (SPCR)", "Microsoft Debug Port Table 2 (DBG2)"; PCI Local Bus Specification,
 * "Class Codes".
 */
#ifndef HYMIR_PLATFORM_SERIAL_PORTS_H
#define HYMIR_PLATFORM_SERIAL_PORTS_H

#include "firmware/acpi.h"
#include "lib/serial_port.h"
#include "platform/pci.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What describes a port, most preferred first. */
enum serial_source {
    SERIAL_SOURCE_SPCR, /* firmware's console */
    SERIAL_SOURCE_DBG2, /* a debugger's port */
    SERIAL_SOURCE_PCI,
};

#define SERIAL_PORTS_MAX 8

struct serial_ports {
    size_t count;
    struct described_port {
        enum serial_source source;
        struct serial_port port;
        bool is_in_pci;
        struct pci_address address;   /* of the function, if it is in PCI */
        char name[4 + PCI_TEXT_SIZE]; /* of what describes it, for display */
    } port[SERIAL_PORTS_MAX];
};

/*
 * Lists the ports by source; further ones are ignored. Logs what is unusable of the
 * tables. acpi may be NULL.
 */
void serial_ports_find(const struct acpi *acpi, struct serial_ports *ports);

/* Lets a PCI function decode the port's addresses; no effect on other ports. */
void serial_port_enable(const struct described_port *described);

/*
 * Reads the port of a PCI function from its base addresses, at I/O ports if it has any.
 * Returns false if the function is no UART compatible with a 16550, or has no usable
 * address. Pure.
 */
bool serial_port_of_pci(const struct pci_function *function,
                        const uint32_t base_addresses[PCI_BASE_ADDRESS_COUNT],
                        struct serial_port *port);

#endif
