/*
 * Who uses a USB controller: firmware emulates a PS/2 keyboard with one in
 * system-management mode, until an operating system asks for the controller.
 */
#ifndef HYMIR_PLATFORM_USB_LEGACY_H
#define HYMIR_PLATFORM_USB_LEGACY_H

#include "platform/pci.h"

/*
 * Returns whether firmware still uses a function of class PCI_SERIAL_BUS_USB; also true
 * if its registers cannot be mapped. The registers are only read.
 */
bool usb_is_firmware_owned(const struct pci_function *function);

#endif
