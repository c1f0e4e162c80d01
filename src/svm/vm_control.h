/*
 * VM_CR: whether firmware permits SVM.
 *
 * Pure. APM 2, "Enabling SVM", "SVM Related MSRs".
 */
#ifndef HYMIR_SVM_VM_CONTROL_H
#define HYMIR_SVM_VM_CONTROL_H

#include "svm/record.h"
#include "x86/msr.h"

enum vm_control_state {
    VM_CONTROL_ENABLED,    /* SVMDIS is 0: EFER.SVME may be set */
    VM_CONTROL_DISABLED,   /* SVMDIS is 1 and can be cleared */
    VM_CONTROL_LOCKED_OFF, /* SVMDIS is 1 and locked, with or without a key */
    VM_CONTROL_UNKNOWN,    /* the register cannot be read */
};

enum vm_control_state vm_control_state(const struct msr_reading *vm_cr);

/*
 * Returns whether Hymir must clear SVMDIS before it sets EFER.SVME, and may: nolock was
 * not given. Leaving SVM sets it again.
 */
bool vm_control_is_write_needed(const struct cpu_record *record);

#endif
