/* See feature_control.h. */
#include "vmx/feature_control.h"

enum feature_control_state feature_control_state(uint64_t value)
{
    if ((value & FEATURE_CONTROL_LOCK) == 0)
        return FEATURE_CONTROL_UNLOCKED;
    if ((value & FEATURE_CONTROL_VMX_OUTSIDE_SMX) != 0)
        return FEATURE_CONTROL_ENABLED;
    if ((value & FEATURE_CONTROL_VMX_INSIDE_SMX) != 0)
        return FEATURE_CONTROL_TXT_ONLY;
    return FEATURE_CONTROL_LOCKED_OFF;
}

uint64_t feature_control_enabled_value(uint64_t value)
{
    return value | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX_OUTSIDE_SMX;
}

bool feature_control_is_lock_needed(const struct cpu_record *record)
{
    const struct msr_reading *found = &vmx_record(record)->feature_control;

    return found->state == MSR_READ && !record->nolock &&
           feature_control_state(found->value) == FEATURE_CONTROL_UNLOCKED;
}
