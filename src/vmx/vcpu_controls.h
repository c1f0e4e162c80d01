/*
 * The controls that a vCPU runs under, fitted to a processor.
 *
 * SDM 3C, "VM-Execution Control Fields", "VM-Exit Control Fields", "VM-Entry Control
 * Fields". A table of rows {control, the SDM's name, needed or not}: what a guest's
 * containment rests on is required, and its absence is said by name; what only makes an
 * instruction work is used where it is there. Pure.
 */
#ifndef HYMIR_VMX_VCPU_CONTROLS_H
#define HYMIR_VMX_VCPU_CONTROLS_H

#include "lib/format.h"
#include "vmx/capabilities.h"

#include <stdbool.h>
#include <stdint.h>

struct vcpu_controls {
    uint32_t field[CONTROL_KINDS]; /* by enum vmx_control */
};

/*
 * Fits all controls. STATUS_UNSUPPORTED, with *controls as it was, if a required one is
 * missing; the names of those are then appended to *missing.
 */
enum status MUST_CHECK vcpu_controls_fit(const struct vmx_capabilities *capabilities,
                                         struct vcpu_controls *controls,
                                         struct text *missing);

/* The controls of a kind that are required. */
uint32_t vcpu_controls_required(enum vmx_control kind);

static inline bool vcpu_controls_has(const struct vcpu_controls *controls,
                                     enum vmx_control kind, uint64_t bit)
{
    return (controls->field[kind] & bit) != 0;
}

#endif
