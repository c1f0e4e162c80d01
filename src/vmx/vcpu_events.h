/*
 * Events: exceptions, interrupts, NMIs, the alarm, and sleep until one.
 */
#ifndef HYMIR_VMX_VCPU_EVENTS_H
#define HYMIR_VMX_VCPU_EVENTS_H

#include "virt/vcpu.h"

/* Operations of struct backend. */
void exception_inject(struct vcpu *vcpu, uint8_t vector, uint32_t error_code);
void debug_causes_add(struct vcpu *vcpu, uint64_t causes);
void vcpu_request_interrupt(struct vcpu *vcpu, bool is_requested);
void vcpu_request_nmi(struct vcpu *vcpu);
void vcpu_set_alarm(struct vcpu *vcpu, uint64_t time);

/*
 * Called at an exit if the TSC has passed vcpu->run.alarm_check: makes the preemption
 * timer expire at the next entry if the alarm is due. The timer does not count during
 * exits, so that a guest that hardly runs between them would otherwise get its alarms
 * late. Returns vcpu, so that the caller need not save it.
 */
struct vcpu *vcpu_hasten_alarm(struct vcpu *vcpu);

/* Drops an NMI that waits, and the event that the next entry would inject. */
void vcpu_cancel_events(struct vcpu *vcpu);

/* Handlers of exits. */
enum exit_outcome exception_handle_exit(struct vcpu *vcpu);
enum exit_outcome machine_check_handle_exit(struct vcpu *vcpu);
enum exit_outcome instruction_timeout_handle_exit(struct vcpu *vcpu);
enum exit_outcome bus_lock_handle_exit(struct vcpu *vcpu);
enum exit_outcome interrupt_handle_exit(struct vcpu *vcpu);
enum exit_outcome interrupt_window_handle_exit(struct vcpu *vcpu);
enum exit_outcome nmi_window_handle_exit(struct vcpu *vcpu);
enum exit_outcome hlt_handle_exit(struct vcpu *vcpu);

/* Resumes the guest, with the interrupt that is requested if the guest accepts it now. */
enum exit_outcome interrupt_resume(struct vcpu *vcpu);

/* Injects the event whose delivery this exit interrupted, if there is one. */
void event_redeliver(void);

#endif
