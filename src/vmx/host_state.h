/*
 * The host-state area of a VMCS: what a VM exit loads. SDM 3C, "Host-State Area".
 */
#ifndef HYMIR_VMX_HOST_STATE_H
#define HYMIR_VMX_HOST_STATE_H

#include "lib/status.h"

/*
 * Writes the state of the CPU that executes this into the current VMCS, but for HOST_RSP
 * and HOST_RIP, which are entry.asm's. STATUS_UNSUPPORTED if a field is refused.
 */
enum status MUST_CHECK host_state_write(void);

#endif
