/*
 * The controls of a vCPU, fitted to a processor.
 *
 * SDM 3C, "VM-Execution Control Fields", "VM-Exit Control Fields", "VM-Entry Control
 * Fields". Controls that contain the guest are required, and reported by name if they are
 * missing; those that only make an instruction available, or virtualize the local APIC,
 * are optional. Pure.
 */
#ifndef HYMIR_VMX_VCPU_CONTROLS_H
#define HYMIR_VMX_VCPU_CONTROLS_H

#include "lib/format.h"
#include "vmx/capabilities.h"

/* The values of control fields. */
struct vcpu_controls {
    uint32_t field[GROUP_VM_ENTRY + 1];    /* by enum vmx_capability_group */
    uint32_t switched[GROUP_VM_ENTRY + 1]; /* off in field, but the processor has them */
};

/*
 * Fits all controls. If required ones are missing, appends their names to *missing and
 * returns STATUS_UNSUPPORTED with *controls unchanged.
 */
enum status MUST_CHECK vcpu_controls_fit(const struct vmx_capabilities *capabilities,
                                         struct vcpu_controls *controls,
                                         struct text *missing);

/* Returns what a vCPU requires of an enum vmx_capability_group. */
struct required_capabilities vcpu_controls_required(uint32_t group);

static inline bool vcpu_controls_has(const struct vcpu_controls *controls,
                                     enum vmx_capability_group group, uint64_t bit)
{
    return (controls->field[group] & bit) != 0;
}

#endif
