/*
 * Entering and leaving VMX operation on a CPU.
 *
 * SDM 3C, "Enabling and Entering VMX Operation", "Disabling and Leaving VMX Operation".
 * While a CPU is in it, struct cpu's leave_virtualization leads out, for panic, stop and
 * reset: VMCLEAR of the current VMCS, VMXOFF, CR4.VMXE cleared.
 */
#ifndef HYMIR_VMX_OPERATION_H
#define HYMIR_VMX_OPERATION_H

#include "vmx/instructions.h"

#include <stdint.h>

/*
 * Sets CR0 and CR4 of this CPU to values that VMX operation allows, CR4.VMXE among them.
 * Returns the exception that one of them raised, which ends it there.
 */
uint32_t vmx_operation_allow(uint64_t cr0, uint64_t cr4);

/*
 * Executes VMXON on this CPU, after vmx_operation_allow, with the page region, zeroed,
 * into which the revision is written. If it does not succeed, CR4.VMXE is cleared again.
 * The page belongs to the CPU until vmx_operation_leave succeeds.
 */
struct vmx_attempt vmx_operation_enter(void *region, uint32_t revision);

/*
 * Executes VMXOFF on this CPU and clears CR4.VMXE. If VMXOFF does not succeed, CR4.VMXE
 * stays set: to clear it in VMX operation would fault.
 */
struct vmx_attempt vmx_operation_leave(void);

/*
 * Writes the revision to the start of a VMXON region or a VMCS. SDM 3C, "Format of the
 * VMCS Region".
 */
void vmx_write_revision(void *region, uint32_t revision);

#endif
