/*
 * A guest's accesses that exit to CR4, EFER and PAT.
 */
#ifndef HYMIR_SVM_SYSTEM_REGISTERS_H
#define HYMIR_SVM_SYSTEM_REGISTERS_H

#include "virt/vcpu.h"

enum exit_outcome svm_cr4_read_handle_exit(struct vcpu *vcpu);
enum exit_outcome svm_cr4_write_handle_exit(struct vcpu *vcpu);

/* EFER and PAT; the VM's handlers have the other MSRs that exit. */
enum exit_outcome svm_msr_handle_exit(struct vcpu *vcpu);

#endif
