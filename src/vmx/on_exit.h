/*
 * The path of a VM exit to its handler and back into the guest.
 */
#ifndef HYMIR_VMX_ON_EXIT_H
#define HYMIR_VMX_ON_EXIT_H

#include "cpu/instructions.h"
#include "vmx/vcpu.h"

/* Values of vcpu->run.on_exit: the second while the preemption timer has an alarm. */
enum run_next vcpu_on_exit(struct vcpu_run *run);
enum run_next vcpu_on_exit_with_alarm(struct vcpu_run *run);

/* Sets the preemption timer to expire at entry_until, which is within its range. */
static inline void vcpu_write_preemption_timer(const struct vmx_vcpu *vmx)
{
    int64_t left = (int64_t)(vmx->entry_until - rdtsc());

    vmcs_set(VMCS_GUEST_PREEMPTION_TIMER,
             left < 0 ? 0 : (uint64_t)left >> vmx->preemption_timer_shift);
}

#endif
