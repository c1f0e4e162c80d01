/* See entry_report.h. */
#include "svm/entry_report.h"

#include "lib/log.h"
#include "lib/string.h"

static struct cpuid_result read_own_cpuid(uint32_t leaf, uint32_t subleaf)
{
    return cpuid(leaf, subleaf);
}

static void note_processor(struct entry_snapshot *snapshot)
{
    svm_entry_set_cpuid(snapshot, read_own_cpuid);
    entry_snapshot_set(snapshot, SVM_VALUE_HOST_CR0, read_cr0());
}

static void log_line(void *context, const char *line)
{
    (void)context;
    if (line[0] != ' ')
        log_error("%s", line);
    else
        log_info("%s", line);
}

struct explanation {
    const struct entry_snapshot *snapshot;
    struct entry_summary *summary;
};

static void explain(void *context, const struct entry_finding *finding)
{
    const struct explanation *of = context;

    if (finding->verdict != ENTRY_VIOLATED)
        return;
    entry_describe(&svm_entry_rules, of->snapshot, finding, log_line, NULL);
    entry_summary_add(of->summary, &svm_entry_rules, of->snapshot, finding);
}

static struct entry_count judge_noted(struct entry_snapshot *snapshot,
                                      struct entry_summary *summary)
{
    struct explanation explanation = {snapshot, summary};

    note_processor(snapshot);
    return entry_judge(&svm_entry_rules, snapshot, ENTRY_ALL_PHASES, explain,
                       &explanation);
}

void svm_entry_note(struct entry_snapshot *snapshot, const struct vmcb *vmcb)
{
    memset(snapshot, 0, sizeof(*snapshot));
    svm_entry_set_controls(snapshot, vmcb);
    svm_entry_set_state(snapshot, vmcb);
#ifdef HYMIR_DEBUG
    struct entry_summary summary = {0};
    (void)judge_noted(snapshot, &summary);
    if (summary.count > 0)
        log_error("the first VMRUN will fail");
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
    struct entry_count count = judge_noted(snapshot, summary);

    if (summary->count == 0)
        log_error("no violated rule is known; %zu could not be judged",
                  count.verdicts[ENTRY_UNKNOWN]);
}
