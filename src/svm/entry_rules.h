/*
 * The rules that VMRUN checks on AMD-V: APM 2, "Canonicalization and Consistency Checks"
 * and the sections that add to it. One that is violated ends VMRUN with VMEXIT_INVALID.
 *
 * Of a guest whose state is encrypted (SEV-ES) the VMCB has no state to judge. Pure.
 */
#ifndef HYMIR_SVM_ENTRY_RULES_H
#define HYMIR_SVM_ENTRY_RULES_H

#include "cpu/cpuid.h"
#include "svm/entry_values.h"
#include "svm/vmcb.h"
#include "virt/entry_rules.h"

extern const struct entry_rules svm_entry_rules;

/* Sets the fields of the control area, or those of the state save area. */
void svm_entry_set_controls(struct entry_snapshot *snapshot, const struct vmcb *vmcb);
void svm_entry_set_state(struct entry_snapshot *snapshot, const struct vmcb *vmcb);

/* Sets what CPUID reports of the processor. */
void svm_entry_set_cpuid(struct entry_snapshot *snapshot, cpuid_reader *read);

/* The sections, in rules_controls.c and rules_state.c. */
extern const struct entry_section svm_control_rules, svm_event_rules, svm_nested_rules,
    svm_nmi_rules, svm_avic_rules, svm_state_rules, svm_feature_rules,
    svm_nested_state_rules;

#endif
