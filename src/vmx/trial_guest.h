/*
 * The guest of two instructions: CPUID, then HLT. It proves the whole way, from the
 * control fields through VM entry, paging and EPT to VM exit and back.
 */
#ifndef HYMIR_VMX_TRIAL_GUEST_H
#define HYMIR_VMX_TRIAL_GUEST_H

#include "vmx/capabilities.h"
#include "vmx/record.h"

/* The pages that the guest needs: see trial_guest.c. */
#define TRIAL_GUEST_PAGES 9

/*
 * Fills in the current VMCS, which is clear, runs the guest in TRIAL_GUEST_PAGES zeroed
 * pages below 4 GiB, and writes down in *guest what happened: up to HLT or the first
 * surprise. In VMX root operation, with interrupts off.
 */
void trial_guest_run(const struct vmx_capabilities *capabilities, void *pages,
                     struct guest_trial *guest);

/* Instructions of the guest that exit. */
enum trial_guest_instruction {
    TRIAL_GUEST_CPUID,
    TRIAL_GUEST_VMCALL,
};

/*
 * Lets the guest that trial_guest_run has run exit at one instruction in each round of
 * the stopwatch; false if it exits otherwise. On the current VMCS.
 */
bool trial_guest_exit(enum trial_guest_instruction instruction,
                      struct stopwatch *stopwatch);

#endif
