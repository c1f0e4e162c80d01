/*
 * Events: exceptions, interrupts, NMIs, the alarm, and sleep until one.
 */
#ifndef HYMIR_SVM_VCPU_EVENTS_H
#define HYMIR_SVM_VCPU_EVENTS_H

#include "svm/vcpu.h"

/* Operations of struct backend. */
void svm_exception_inject(struct vcpu *vcpu, uint8_t vector, uint32_t error_code);
void svm_debug_causes_add(struct vcpu *vcpu, uint64_t causes);
void svm_request_interrupt(struct vcpu *vcpu, bool is_requested);
void svm_request_nmi(struct vcpu *vcpu);
void svm_set_alarm(struct vcpu *vcpu, uint64_t time);

/* Drops NMIs, and what the next entry would deliver; requested interrupts still wait. */
void svm_cancel_events(struct svm_vcpu *svm);

/* Handlers of exits. */
enum exit_outcome svm_exception_handle_exit(struct vcpu *vcpu);
enum exit_outcome svm_nmi_handle_exit(struct vcpu *vcpu);
enum exit_outcome svm_interrupt_handle_exit(struct vcpu *vcpu);
enum exit_outcome svm_interrupt_window_handle_exit(struct vcpu *vcpu);
enum exit_outcome svm_iret_handle_exit(struct vcpu *vcpu);
enum exit_outcome svm_hlt_handle_exit(struct vcpu *vcpu);

/* Injects the event whose delivery this exit interrupted, if there is one. */
void svm_event_redeliver(struct vmcb *vmcb);

/*
 * Called before an entry while events wait: injects the first that the guest accepts, or
 * makes the guest exit as soon as it does.
 */
void svm_events_deliver(struct svm_vcpu *svm);

#endif
