/*
 * Machine checks: reads the banks of the executing CPU, and decides whether an error is
 * contained in a guest.
 *
 * SDM 3B, "Machine-Check Architecture", "Recovery of Uncorrected Recoverable (UCR)
 * Errors"; APM 2, "Machine Check Architecture". The banks are read by each CPU for
 * itself: corrected errors raise no exception, so platform/machine_checks.c lets all look
 * at intervals. An uncorrected error raises #MC, in Hymir or as a VM exit.
 */
#ifndef HYMIR_CPU_MACHINE_CHECK_H
#define HYMIR_CPU_MACHINE_CHECK_H

#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

/* The registers of a bank with a valid error; address and misc are 0 if not valid. */
struct machine_check_bank {
    unsigned int number;
    uint64_t status, address, misc;
};

/* What of the processor decides how its banks are read. */
struct machine_check_rules {
    bool is_amd;
    bool has_recovery; /* Intel: MCG_SER_P */
};

/*
 * Returns whether an uncorrected error is confined to the memory at bank->address, so
 * that only what uses it is lost. Pure.
 */
bool machine_check_is_confined(const struct machine_check_bank *bank,
                               const struct machine_check_rules *rules);

/* Appends the registers by name, the names of the bits of status and of the error. */
void machine_check_describe(const struct machine_check_bank *bank, bool is_amd,
                            struct text *words);

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

/*
 * Returns whether execution can go on after a #MC: each uncorrected error is confined to
 * a guest's memory, and what was interrupted can go on or is a guest. Reads only. For
 * exception handlers.
 */
bool machine_check_can_continue(bool is_in_guest);

/* Returns whether the interrupted code can be resumed: IA32_MCG_STATUS.RIPV. */
bool machine_check_can_resume(void);

/* Ends a #MC after which execution goes on: machine_check_look has the rest to do. */
void machine_check_acknowledge(void);

/*
 * Logs and clears the errors of the executing CPU, and ends the guests in whose memory
 * they are. Not in an exception handler.
 */
void machine_check_look(void);

/* Logs the errors of the executing CPU, for a panic. */
void machine_check_log(void);

#endif
