/*
 * Machine checks: reads the banks of the executing CPU, and decides whether an error is
 * contained in a guest.
 *
 * SDM 3B, "Machine-Check Architecture", "Recovery of Uncorrected Recoverable (UCR)
 * Errors"; APM 2, "Machine Check Architecture". The banks are read by each CPU for
 * itself. An uncorrected error raises #MC, in Hymir or as a VM exit: its handler moves
 * the errors out of the banks, so that the next one finds them empty. Corrected and
 * deferred errors raise no exception, so platform/machine_checks.c lets all CPUs look at
 * intervals.
 */
#ifndef HYMIR_CPU_MACHINE_CHECK_H
#define HYMIR_CPU_MACHINE_CHECK_H

#include "cpu/machine_check_rules.h"

/*
 * Returns whether the address is in the memory of a guest, and with is_to_end ends that
 * guest. Called with is_to_end only where this CPU holds no lock.
 */
typedef bool machine_check_owner(uint64_t address, bool is_to_end);

/* Sets how to find and end a guest; NULL, the default, stands for no guests. */
void machine_check_set_owner(machine_check_owner *owner);

/*
 * Enables the reporting of all errors on the executing CPU, and logs and clears those
 * that were there before: firmware's, or the reason for the last reset.
 */
void machine_check_enable(void);

/* Returns how many banks the executing CPU has, or 0. */
unsigned int machine_check_bank_count(void);

/* What follows a #MC. */
enum machine_check_outcome {
    MACHINE_CHECK_STOP,      /* nothing has changed; the banks show why, or none does */
    MACHINE_CHECK_RESUME,    /* the interrupted code goes on */
    MACHINE_CHECK_END_GUEST, /* only of a guest: it must not go on */
};

/*
 * Handles a #MC that interrupted a guest or Hymir. Execution can go on if each error that
 * raised it is contained in the memory of guests, and Hymir itself, if it was
 * interrupted, has not used it; then moves the errors to where machine_check_look finds
 * them, which must be called, and ends the #MC. For exception handlers.
 */
enum machine_check_outcome machine_check_take(bool is_in_guest);

/*
 * Logs the errors that #MCs of the executing CPU have left, and those that its banks have
 * without one, which it clears; ends the guests in whose memory they are. Not in an
 * exception handler.
 */
void machine_check_look(void);

/* Logs the errors of the executing CPU, for a panic. */
void machine_check_log(void);

#endif
