/* See vm_control.h. */
#include "svm/vm_control.h"

enum vm_control_state vm_control_state(const struct msr_reading *vm_cr)
{
    if (vm_cr->state != MSR_READ)
        return VM_CONTROL_UNKNOWN;
    if ((vm_cr->value & VM_CR_SVMDIS) == 0)
        return VM_CONTROL_ENABLED;
    return (vm_cr->value & VM_CR_LOCK) != 0 ? VM_CONTROL_LOCKED_OFF : VM_CONTROL_DISABLED;
}

bool vm_control_is_write_needed(const struct cpu_record *record)
{
    return !record->nolock &&
           vm_control_state(&svm_record(record)->vm_cr) == VM_CONTROL_DISABLED;
}
