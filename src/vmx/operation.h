/*
 * Entering and leaving VMX operation on a CPU.
 *
 * SDM 3C, "Enabling and Entering VMX Operation", "Disabling and Leaving VMX Operation".
 * While a CPU is in it, struct cpu's leave_virtualization is set, for panic, stop and
 * reset: it executes VMCLEAR of the current VMCS and VMXOFF, and clears CR4.VMXE.
 */
#ifndef HYMIR_VMX_OPERATION_H
#define HYMIR_VMX_OPERATION_H

#include "vmx/instructions.h"

/*
 * Sets CR0 and then CR4 of this CPU, to values that VMX operation allows and with
 * CR4.VMXE. Returns FAULT_NONE, or the exception of the first that failed.
 */
uint32_t vmx_operation_allow(uint64_t cr0, uint64_t cr4);

/*
 * Executes VMXON on this CPU, after vmx_operation_allow, with a zeroed page into which it
 * writes the revision. Clears CR4.VMXE on failure. The page belongs to the CPU until
 * vmx_operation_leave succeeds.
 */
struct vmx_attempt vmx_operation_enter(void *region, uint32_t revision);

/*
 * Executes VMXOFF on this CPU and clears CR4.VMXE. If VMXOFF fails, CR4.VMXE stays set:
 * clearing it in VMX operation raises #GP.
 */
struct vmx_attempt vmx_operation_leave(void);

/*
 * Writes the revision to the start of a VMXON region or a VMCS. SDM 3C, "Format of the
 * VMCS Region".
 */
void vmx_write_revision(void *region, uint32_t revision);

#endif
