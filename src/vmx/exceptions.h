/*
 * Exceptions and NMIs that exit or are injected, and events that an exit interrupted.
 */
#ifndef HYMIR_VMX_EXCEPTIONS_H
#define HYMIR_VMX_EXCEPTIONS_H

#include "virt/vcpu.h"

/* inject_exception of struct backend. */
void exception_inject(struct vcpu *vcpu, uint8_t vector, uint32_t error_code);

enum exit_outcome exception_handle_exit(struct vcpu *vcpu);

/* Injects the event whose delivery this exit interrupted, if there is one. */
void event_redeliver(void);

/* Adds causes to the #DB that the guest receives at the next entry. */
void pending_debug_add(uint64_t causes);

#endif
