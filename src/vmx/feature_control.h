/*
 * IA32_FEATURE_CONTROL: may VMXON be executed, and what must be written so that it may.
 *
 * SDM 3C, "Enabling and Entering VMX Operation". Pure. VMXON wants the lock bit and bit
 * 2, both: an unlocked register with bit 2 set faults like any other.
 */
#ifndef HYMIR_VMX_FEATURE_CONTROL_H
#define HYMIR_VMX_FEATURE_CONTROL_H

#include "x86/msr.h"

#include <stdbool.h>
#include <stdint.h>

enum feature_control_state {
    FEATURE_CONTROL_ENABLED,    /* locked with bit 2: VMXON may be executed */
    FEATURE_CONTROL_UNLOCKED,   /* firmware left it open: Hymir may set it */
    FEATURE_CONTROL_LOCKED_OFF, /* locked without bits 1 and 2: firmware's no */
    FEATURE_CONTROL_TXT_ONLY,   /* locked with bit 1 and without bit 2 */
};

enum feature_control_state feature_control_state(uint64_t value);

/* What to write to an unlocked register: what is set stays, bits 0 and 2 are added. */
uint64_t feature_control_enabled_value(uint64_t value);

#endif
