/* See entry_report.h. */
#include "svm/entry_report.h"

#include "lib/string.h"

static void note_processor(struct entry_snapshot *snapshot)
{
    svm_entry_set_cpuid(snapshot, cpuid);
    entry_snapshot_set(snapshot, SVM_VALUE_HOST_CR0, read_cr0());
}

void svm_entry_note(struct entry_snapshot *snapshot, const struct vmcb *vmcb)
{
    memset(snapshot, 0, sizeof(*snapshot));
    svm_entry_set_controls(snapshot, vmcb);
    svm_entry_set_state(snapshot, vmcb);
#ifdef HYMIR_DEBUG
    note_processor(snapshot);
    entry_check(&svm_entry_rules, snapshot);
#endif
}

void svm_entry_note_failed(struct entry_snapshot *snapshot, const struct vmcb *vmcb)
{
    memset(snapshot, 0, sizeof(*snapshot));
    svm_entry_set_controls(snapshot, vmcb);
    if (!svm_has_host_state(vmcb))
        svm_entry_set_state(snapshot, vmcb);
}

void svm_entry_explain(struct entry_snapshot *snapshot, struct entry_summary *summary)
{
    note_processor(snapshot);
    entry_explain(&svm_entry_rules, snapshot, ENTRY_ALL_PHASES, 0, summary);
}
