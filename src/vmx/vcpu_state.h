/*
 * The VMCS of a vCPU at the start of a run.
 */
#ifndef HYMIR_VMX_VCPU_STATE_H
#define HYMIR_VMX_VCPU_STATE_H

#include "vmx/vcpu.h"

/*
 * Writes the current VMCS, the bitmaps and the general registers for a run from
 * vcpu->start. Returns false if the processor rejects a field.
 */
bool MUST_CHECK vcpu_state_write(struct vmx_vcpu *vcpu);

#endif
