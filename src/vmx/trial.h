/*
 * The experiment: VT-x tried on one CPU, step by step, and what happened written down.
 *
 * Enters VMX root operation, proves that it is there, runs a guest of two instructions,
 * and leaves again, on every path. vmx/check.h judges the record.
 */
#ifndef HYMIR_VMX_TRIAL_H
#define HYMIR_VMX_TRIAL_H

#include "vmx/record.h"
#include "vmx/trial_guest.h"

/*
 * The pages that a trial needs beside the VMXON region: a VMCS, the guest's, and one for
 * the times that are measured.
 */
#define TRIAL_PAGES (1 + TRIAL_GUEST_PAGES + 1)

struct trial_request {
    struct vmx_record record;        /* filled in; apic_id, answer and nolock are given */
    void *vmxon_region;              /* a zeroed page below 4 GiB, this CPU's own */
    void *pages;                     /* TRIAL_PAGES zeroed pages in a row below 4 GiB */
    void (*in_root_operation)(void); /* called once root operation is proved; or NULL */
    bool *is_measured; /* by core type: true once a CPU of that type was timed */
};

/* Runs the trial of a struct trial_request on the CPU that executes this. A cpu_work. */
void trial_run(void *argument);

/*
 * Logs, at LOG_DEBUG, all that a record rests on, raw, and each step with its source. The
 * lines from any machine are a snapshot for the unit tests.
 */
void trial_log(const struct vmx_record *record, uint32_t cpu);

#endif
