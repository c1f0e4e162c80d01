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

/*
 * Measures what VMX costs with the guest that trial_guest_run has run to its HLT, in the
 * current VMCS, which lies at vmcs; samples is a page of scratch.
 */
void trial_guest_measure(const struct vmx_capabilities *capabilities, void *vmcs,
                         void *samples, struct timings *timings);

#endif
