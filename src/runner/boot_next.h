/*
 * The way on to what firmware would boot next, under UEFI.
 *
 * Beside main.c, because it brings firmware's services, the address space and the end of
 * Hymir together.
 */
#ifndef HYMIR_RUNNER_BOOT_NEXT_H
#define HYMIR_RUNNER_BOOT_NEXT_H

/*
 * Has firmware boot its next entry, and reboots. Returns, with why not, if firmware has
 * no next entry or cannot be told; if it does not come back within ten seconds, or
 * faults, the machine reboots all the same. Another CPU watches that, or, where there is
 * none, the local APIC's timer. On the boot CPU, with interrupts off.
 */
const char *boot_next(void);

#endif
