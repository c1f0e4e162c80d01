/*
 * The configuration space of PCI functions, and the ports that access it.
 *
 * PCI Local Bus Specification 3.0, "Software Generation of Configuration Transactions",
 * "Configuration Space Organization"; classes: PCI Code and ID Assignment Specification.
 */
#ifndef HYMIR_X86_PCI_H
#define HYMIR_X86_PCI_H

#include "lib/bits.h"

/* Configuration mechanism #1. */
#define PCI_PORT_ADDRESS   0xCF8U
#define PCI_PORT_DATA      0xCFCU
#define PCI_ADDRESS_ENABLE 0x80000000U

/*
 * The enhanced configuration access mechanism: the registers in memory. PCI Express Base
 * Specification, "PCI Express Enhanced Configuration Access Mechanism (ECAM)".
 */
#define PCI_ECAM_BUS_SIZE 0x100000U
#define PCI_ECAM_OFFSET(bus, device, function) \
    ((uint64_t)(bus) << 20 | (uint32_t)(device) << 15 | (uint32_t)(function) << 12)

#define PCI_BUSES     256U
#define PCI_DEVICES   32U /* on a bus */
#define PCI_FUNCTIONS 8U  /* of a device */

enum pci_register {
    PCI_VENDOR_ID      = 0x00, /* 16 bits; the Device ID follows */
    PCI_COMMAND        = 0x04, /* 16 bits; the Status register follows */
    PCI_REVISION_ID    = 0x08, /* 8 bits; the Class Code follows */
    PCI_HEADER_TYPE    = 0x0E, /* 8 bits */
    PCI_BASE_ADDRESSES = 0x10, /* 32 bits each; six in a header of type 0 */
};

#define PCI_VENDOR_NONE 0xFFFFU /* no function responds */

#define PCI_COMMAND_IO_SPACE     0x1U
#define PCI_COMMAND_MEMORY_SPACE 0x2U
#define PCI_COMMAND_BUS_MASTER   0x4U

/* Base addresses of a function that is not a bridge. */
#define PCI_BASE_ADDRESS_COUNT    6U
#define PCI_BASE_ADDRESS_IO       0x1U /* otherwise in memory */
#define PCI_BASE_ADDRESS_IO_FLAGS 0x3U
#define PCI_BASE_ADDRESS_FLAGS    0xFU
#define PCI_BASE_ADDRESS_TYPE     0x6U
#define PCI_BASE_ADDRESS_64_BIT   0x4U /* the next one is the high half */

#define PCI_HEADER_LAYOUT(type)   ((type)&0x7FU)
#define PCI_HEADER_MULTI_FUNCTION 0x80U
#define PCI_HEADER_DEVICE         0U /* 1 and 2: bridges */

/* Base classes. */
#define PCI_CLASS_UNCLASSIFIED  0x00U /* before PCI 2.0 */
#define PCI_CLASS_STORAGE       0x01U
#define PCI_CLASS_NETWORK       0x02U
#define PCI_CLASS_DISPLAY       0x03U
#define PCI_CLASS_BRIDGE        0x06U
#define PCI_CLASS_COMMUNICATION 0x07U
#define PCI_CLASS_SYSTEM        0x08U
#define PCI_CLASS_SERIAL_BUS    0x0CU
#define PCI_CLASS_WIRELESS      0x0DU

/* Sub-classes, each of a base class. */
#define PCI_UNCLASSIFIED_VGA     0x01U
#define PCI_COMMUNICATION_SERIAL 0x00U
#define PCI_SYSTEM_IOMMU         0x06U
#define PCI_SERIAL_BUS_USB       0x03U

/* Programming interfaces of a serial controller: 8250, 16450, 16550, ... 16950. */
#define PCI_SERIAL_LAST_16550 0x06U

#endif
