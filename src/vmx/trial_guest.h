/*
 * The guest of two instructions, CPUID and HLT. It tests the whole path: control fields,
 * VM entry, paging, EPT, and VM exit.
 */
#ifndef HYMIR_VMX_TRIAL_GUEST_H
#define HYMIR_VMX_TRIAL_GUEST_H

#include "virt/virtualization.h"
#include "vmx/record.h"

/* The pages that the guest needs: see trial_guest.c. */
#define TRIAL_GUEST_PAGES 9

/*
 * Fills in the current VMCS, which is clear, and runs the guest in TRIAL_GUEST_PAGES
 * zeroed pages below 4 GiB until HLT or an unexpected exit. Records the result in *guest.
 * In VMX root operation, with interrupts off.
 */
void trial_guest_run(const struct vmx_capabilities *capabilities, void *pages,
                     struct guest_trial *guest);

/*
 * Run the guest after trial_guest_run, on the current VMCS, so that one instruction exits
 * in each round of the stopwatch. Return false if another exit occurs.
 */
bool trial_guest_exit_by_cpuid(struct trial *trial, struct stopwatch *stopwatch);
bool trial_guest_exit_by_vmcall(struct trial *trial, struct stopwatch *stopwatch);

#endif
