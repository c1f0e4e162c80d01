/*
 * A guest's control registers: their visible values, and accesses that exit.
 */
#ifndef HYMIR_VMX_CONTROL_REGISTERS_H
#define HYMIR_VMX_CONTROL_REGISTERS_H

#include "virt/vcpu.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"

/* Bits of CR0 that the guest reads from the shadow and whose changes exit. */
#define CR0_HOST_OWNED (CR0_NE | CR0_NW | CR0_CD)

/* Returns the value that the guest reads. */
uint64_t guest_cr0_read(void);

enum exit_outcome control_register_handle_exit(struct vcpu *vcpu);

/*
 * Returns whether the guest executes 64-bit code: SDM 3A, "IA-32e Mode Code Segment
 * Descriptors".
 */
static inline bool guest_is_64_bit(void)
{
    return (vmcs_get(VMCS_GUEST_IA32_EFER) & EFER_LMA) != 0 &&
           (vmcs_get(VMCS_GUEST_CS_ACCESS_RIGHTS) & CODE_SEGMENT_L) != 0;
}

static inline enum code_size guest_code_size(void)
{
    return code_segment_size((uint32_t)vmcs_get(VMCS_GUEST_CS_ACCESS_RIGHTS),
                             guest_is_64_bit());
}

#endif
