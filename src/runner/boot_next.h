/*
 * Reboots to firmware's next boot entry, under UEFI.
 */
#ifndef HYMIR_RUNNER_BOOT_NEXT_H
#define HYMIR_RUNNER_BOOT_NEXT_H

/*
 * Sets BootNext to firmware's next boot entry and reboots. Returns the reason if there is
 * no next entry or it cannot be set, or if firmware faults. If firmware does not return
 * within ten seconds, which another CPU or else the local APIC's timer detects, the
 * machine reboots without it. On the boot CPU, with interrupts disabled.
 */
const char *boot_next(void);

#endif
