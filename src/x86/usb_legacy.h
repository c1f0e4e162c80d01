/*
 * The registers of USB controllers by which firmware and an operating system agree on who
 * uses the controller.
 *
 * Intel UHCI Design Guide 1.1, "Legacy Support Register"; OpenHCI Specification 1.0a,
 * "HcControl Register"; EHCI Specification 1.0, "USBLEGSUP"; xHCI Specification 1.2, "USB
 * Legacy Support Capability".
 */
#ifndef HYMIR_X86_USB_LEGACY_H
#define HYMIR_X86_USB_LEGACY_H

#include "lib/bits.h"

/* Programming interfaces of PCI_SERIAL_BUS_USB. */
#define USB_UHCI 0x00U
#define USB_OHCI 0x10U
#define USB_EHCI 0x20U
#define USB_XHCI 0x30U

/* UHCI, in configuration space: traps of ports 60h and 64h, and SMIs. */
#define UHCI_LEGACY_SUPPORT 0xC0U
#define UHCI_LEGACY_ENABLES 0x1FU

/* OHCI: interrupts are SMIs. */
#define OHCI_CONTROL                   0x04U
#define OHCI_CONTROL_INTERRUPT_ROUTING BIT(8)

/* EHCI: where a list of capabilities starts in configuration space. */
#define EHCI_HCCPARAMS                     0x08U
#define EHCI_HCCPARAMS_CAPABILITIES(value) ((uint8_t)BITS_GET(value, 15, 8))
#define EHCI_CAPABILITIES_MIN              0x40U

/* xHCI: where a list of capabilities starts in the registers, in 32-bit words. */
#define XHCI_HCCPARAMS1                     0x10U
#define XHCI_HCCPARAMS1_CAPABILITIES(value) ((uint32_t)BITS_GET(value, 31, 16))

/* A capability of either: the next one is in words from this one, in EHCI an offset. */
#define USB_CAPABILITY_ID(value)   ((value)&0xFFU)
#define USB_CAPABILITY_NEXT(value) ((uint32_t)BITS_GET(value, 15, 8))
#define USB_CAPABILITY_LEGACY      1U
#define USB_LEGACY_FIRMWARE_OWNS   BIT(16) /* "HC BIOS Owned Semaphore" */

#endif
