/*
 * PCI functions that the boot loader or firmware left as bus masters, such as a network
 * interface after a boot over the network: they may still write into memory that is now
 * Hymir's.
 *
 * PCI Local Bus Specification 3.0, "Device Control" (the Command register).
 */
#ifndef HYMIR_PLATFORM_BUS_MASTERS_H
#define HYMIR_PLATFORM_BUS_MASTERS_H

#include "platform/pci.h"

/*
 * Returns whether a function may stay a bus master: bridges, which forward what the
 * functions behind them do; IOMMUs, which read their tables; displays; and under BIOS USB
 * controllers, with which firmware emulates a PS/2 keyboard in system-management mode.
 * Pure. Under UEFI, platform/usb_legacy.h tells which USB controllers firmware uses.
 */
bool bus_master_is_kept(const struct pci_function *function, bool is_efi);

/*
 * Disables the bus mastering of all other functions but USB controllers, in segment 0,
 * and logs which. Call once on the boot CPU, after UEFI's boot services have ended and
 * before memory is allocated.
 */
void bus_masters_stop(bool is_efi);

/*
 * The same for USB controllers and the functions of other segments. Call once
 * address_space_map_device reaches all registers, which tell who uses a USB controller:
 * under UEFI they are often above 4 GiB; and after pci_segments_find.
 */
void bus_masters_stop_late(bool is_efi);

#endif
