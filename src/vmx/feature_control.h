/*
 * IA32_FEATURE_CONTROL: whether VMXON may be executed, and what to write to permit it.
 *
 * SDM 3C, "Enabling and Entering VMX Operation". Pure. VMXON requires both the lock bit
 * and bit 2: with an unlocked register it raises #GP even if bit 2 is set.
 */
#ifndef HYMIR_VMX_FEATURE_CONTROL_H
#define HYMIR_VMX_FEATURE_CONTROL_H

#include "vmx/record.h"
#include "x86/msr.h"

enum feature_control_state {
    FEATURE_CONTROL_ENABLED,    /* locked with bit 2: VMXON may be executed */
    FEATURE_CONTROL_UNLOCKED,   /* Hymir may write it */
    FEATURE_CONTROL_LOCKED_OFF, /* locked without bits 1 and 2: disabled by firmware */
    FEATURE_CONTROL_TXT_ONLY,   /* locked with bit 1 and without bit 2 */
};

enum feature_control_state feature_control_state(uint64_t value);

/* Returns the value to write to an unlocked register: bits 0 and 2 are added. */
uint64_t feature_control_enabled_value(uint64_t value);

/*
 * Returns whether Hymir must write the register before VMXON: firmware left it unlocked,
 * and nolock was not given.
 */
bool feature_control_is_lock_needed(const struct cpu_record *record);

#endif
