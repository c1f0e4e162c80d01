/*
 * Enabling and disabling SVM on a CPU.
 *
 * APM 2, "Enabling SVM", "VM_HSAVE_PA MSR". While SVM is enabled, struct cpu's
 * leave_virtualization is set, for panic, stop and reset: it sets GIF, clears EFER.SVME,
 * and lets INIT reset the CPU again.
 */
#ifndef HYMIR_SVM_OPERATION_H
#define HYMIR_SVM_OPERATION_H

#include "svm/record.h"

/*
 * Clears VM_CR.SVMDIS if it is set. Returns the outcome, with is_tried false if there
 * was nothing to do.
 */
struct msr_write svm_operation_permit(void);

/* Sets VM_CR.SVMDIS again if svm_operation_permit cleared it. */
void svm_operation_forbid(const struct msr_write *permit);

/* Sets EFER.SVME on this CPU, and ignores INIT from then on. */
struct msr_write svm_operation_enter(void);

/* Sets GIF, clears EFER.SVME, and restores SVMDIS if svm_operation_permit cleared it. */
struct msr_write svm_operation_leave(const struct msr_write *permit);

#endif
