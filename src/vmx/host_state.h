/*
 * The host-state area of a VMCS, which a VM exit loads. SDM 3C, "Host-State Area".
 */
#ifndef HYMIR_VMX_HOST_STATE_H
#define HYMIR_VMX_HOST_STATE_H

#include "lib/status.h"

/*
 * Writes the state of this CPU into the current VMCS, except HOST_RSP and HOST_RIP, which
 * entry.asm writes. STATUS_UNSUPPORTED if the processor rejects a field.
 */
enum status MUST_CHECK host_state_write(void);

#endif
