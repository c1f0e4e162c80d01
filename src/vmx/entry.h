/*
 * The way into a guest and back, and in again, as long as the guest is to run.
 */
#ifndef HYMIR_VMX_ENTRY_H
#define HYMIR_VMX_ENTRY_H

#include "virt/vcpu.h"
#include "vmx/instructions.h"

/*
 * Enters the guest of the current VMCS, by VMLAUNCH the first time and VMRESUME from then
 * on, and calls run->on_exit at each VM exit, on the stack of the caller, until that
 * returns RUN_STOP: VMX_SUCCEED. If an entry fails it returns which way. Writes HOST_RSP
 * and HOST_RIP. In VMX root operation, with interrupts off.
 */
enum vmx_result MUST_CHECK vmx_run(struct vcpu_run *run);

#endif
