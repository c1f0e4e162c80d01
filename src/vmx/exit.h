/*
 * VM exits by exit reason: handlers, failed VM entries, descriptions for the exit trace.
 */
#ifndef HYMIR_VMX_EXIT_H
#define HYMIR_VMX_EXIT_H

#include "vmx/vcpu.h"

/* Fills the exit rows of a vCPU with this backend's handlers and those of its VM. */
void exit_rows_init(struct vmx_vcpu *vmx);

/* Logs why VMLAUNCH or VMRESUME failed, with the VMCS, and ends the vCPU. */
void entry_failure_report(struct vcpu *vcpu, enum vmx_result result);

/*
 * Appends the reason of an exit and its detail: the interruption information of an
 * exception, the number of an MSR, else the exit qualification. Accepts any record, also
 * with bits that no CPU sets. In exit_description.c.
 */
void exit_describe(const struct exit_record *record, struct text *words);

#endif
