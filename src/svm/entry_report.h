/*
 * Reports on VMRUN of Hymir's own VMCBs: why it failed and, in a debug build, what would
 * let the first one fail. With EFER.SVME set.
 */
#ifndef HYMIR_SVM_ENTRY_REPORT_H
#define HYMIR_SVM_ENTRY_REPORT_H

#include "svm/entry_rules.h"

/*
 * Notes a VMCB before its first VMRUN: emulators save the host's state in it even if that
 * fails. In a debug build, logs the rules that it violates.
 */
void svm_entry_note(struct entry_snapshot *snapshot, const struct vmcb *vmcb);

/* Notes a VMCB after a later VMRUN failed; its state only if it is still the guest's. */
void svm_entry_note_failed(struct entry_snapshot *snapshot, const struct vmcb *vmcb);

/* Logs the rules that a noted VMCB violates, and adds them to the summary. */
void svm_entry_explain(struct entry_snapshot *snapshot, struct entry_summary *summary);

/* Returns whether the state in a VMCB is Hymir's. */
static inline bool svm_has_host_state(const struct vmcb *vmcb)
{
    return vmcb->cr3 == read_cr3();
}

#endif
