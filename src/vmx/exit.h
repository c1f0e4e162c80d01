/*
 * The handlers of VM exits, by exit reason, and the report of failed VM entries.
 */
#ifndef HYMIR_VMX_EXIT_H
#define HYMIR_VMX_EXIT_H

#include "vmx/vcpu.h"

/* Fills the exit rows of a vCPU with this backend's handlers and those of its VM. */
void exit_rows_init(struct vmx_vcpu *vmx);

/* Logs why VMLAUNCH or VMRESUME failed, with the VMCS, and ends the vCPU. */
void entry_failure_report(struct vcpu *vcpu, enum vmx_result result);

#endif
