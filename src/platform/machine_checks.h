/*
 * Lets all CPUs look at their machine-check banks at intervals, because corrected errors
 * raise no exception.
 *
 * SDM 3B, "Machine-Check Architecture". Corrected machine-check interrupts (CMCI) are not
 * used: a look costs microseconds, and not all processors have them.
 */
#ifndef HYMIR_PLATFORM_MACHINE_CHECKS_H
#define HYMIR_PLATFORM_MACHINE_CHECKS_H

/* Starts the looks, if the boot CPU has banks. On the boot CPU. */
void machine_checks_start(void);

/*
 * Makes all CPUs look if the interval has passed since the last time, and logs the NMIs
 * that Hymir did not send meanwhile. On the boot CPU, often, where it holds no lock.
 */
void machine_checks_poll(void);

#endif
