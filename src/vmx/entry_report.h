/*
 * Reports on VM entries of the current VMCS: why one failed and, in a debug build, what
 * would let the first one fail. In VMX root operation.
 */
#ifndef HYMIR_VMX_ENTRY_REPORT_H
#define HYMIR_VMX_ENTRY_REPORT_H

#include "vmx/entry_rules.h"
#include "vmx/instructions.h"

/* What the report needs of an entry. */
struct entry_attempt {
    const struct vmx_capabilities *capabilities;
    struct entry_snapshot *snapshot; /* for the report's use */
    bool is_resume;                  /* VMRESUME */
};

/* Reads the fields of the VMCS, and what else the rules of VM entry take into account. */
void entry_snapshot_read(const struct entry_attempt *attempt);

/* Logs the violations that explain a failure, and adds them to the summary. */
void entry_failure_explain(const struct entry_attempt *attempt,
                           const struct vmx_entry_failure *failure,
                           struct entry_summary *summary);

/* Logs the violations before the first entry; nothing unless in a debug build. */
void entry_check_before(const struct entry_attempt *attempt);

#endif
