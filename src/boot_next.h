/*
 * The way on to what firmware would boot next, under UEFI.
 *
 * Beside main.c, because it brings firmware's services, the address space and the end of
 * Hymir together.
 */
#ifndef HYMIR_BOOT_NEXT_H
#define HYMIR_BOOT_NEXT_H

/*
 * Has firmware boot its next entry, and reboots. Returns, with why not, if firmware has
 * no next entry or cannot be told; if it does not come back, or faults, the machine
 * reboots all the same. On the boot CPU, with interrupts off; takes the local APIC's
 * timer over.
 */
const char *boot_next(void);

#endif
