/*
 * The loop of VM entries and VM exits.
 */
#ifndef HYMIR_VMX_ENTRY_H
#define HYMIR_VMX_ENTRY_H

#include "virt/vcpu.h"
#include "vmx/instructions.h"

/*
 * Enters the guest of the current VMCS, by VMLAUNCH the first time and VMRESUME
 * afterwards, and calls run->on_exit at each VM exit, on the caller's stack, until that
 * returns RUN_STOP. Returns VMX_SUCCEED, or how an entry failed. Writes HOST_RSP and
 * HOST_RIP. In VMX root operation, with interrupts off.
 */
enum vmx_result MUST_CHECK vmx_run(struct vcpu_run *run);

#endif
