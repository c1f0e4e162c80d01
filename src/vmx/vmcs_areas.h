/*
 * The areas of the current VMCS at the start of a guest.
 *
 * SDM 3C, "Guest-State Area", "Host-State Area", "VM-Execution Control Fields", "VM-Exit
 * Control Fields", "VM-Entry Control Fields". Each function returns false if the
 * processor rejects a field, which is logged.
 */
#ifndef HYMIR_VMX_VMCS_AREAS_H
#define HYMIR_VMX_VMCS_AREAS_H

#include "virt/backend.h"
#include "vmx/vcpu_controls.h"
#include "x86/descriptors.h"

/* The registers that differ between guests at their start. */
struct guest_state {
    uint64_t cr0, cr3, cr4, rip;
    struct vcpu_table gdt;
    const struct vcpu_segment *segment[SEGMENT_COUNT]; /* NULL: unusable */
};

/*
 * Writes the guest-state area: *state, and the rest as after reset, with interrupts off.
 * PAT and EFER, which only a control loads, are left to the caller.
 */
bool MUST_CHECK vmcs_write_guest_state(const struct guest_state *state);

/*
 * Writes the state of this CPU into the host-state area, except HOST_RSP and HOST_RIP,
 * which entry.asm writes.
 */
bool MUST_CHECK vmcs_write_host_state(void);

/* Writes the control fields, with empty MSR lists and no event to inject. */
bool MUST_CHECK vmcs_write_controls(const struct vcpu_controls *controls);

#endif
