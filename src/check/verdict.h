/*
 * Decides whether hardware virtualization works on a machine and, if not, why and what to
 * do.
 *
 * Pure: functions of the records of all CPUs. Judges each record once; screen, JSON and
 * hypervisor matrix read the judgement. docs/VERDICT.md describes the words.
 */
#ifndef HYMIR_CHECK_VERDICT_H
#define HYMIR_CHECK_VERDICT_H

#include "virt/virtualization.h"

/* Returns the word as scripts see it, such as "READY". */
const char *verdict_name(enum verdict_word word);

/* The machine, and why some of its CPUs may not have been checked. */
struct verdict_scope {
    const char *machine;  /* manufacturer and product, or "unknown" */
    bool nosmp;           /* the option: only the boot CPU */
    bool no_cpu_list;     /* ACPI lists no CPUs: only the boot CPU */
    bool broken_cpu_list; /* only those listed before a malformed entry */
    bool no_start;        /* the other CPUs could not be started */
    size_t dropped;       /* CPUs that exceed Hymir's limit or memory */
};

/* Returns why there may be CPUs that were not checked, or NULL. */
const char *verdict_unseen_cpus(const struct verdict_scope *scope);

/*
 * Judges count records, at least one, the boot CPU's first, and returns the machine's
 * verdict. Appends the text that follows "hymir: verdict: WORD: ".
 */
enum verdict_word verdict_decide(struct cpu_record *records, size_t count,
                                 const struct verdict_scope *scope, struct text *text);

/* Judges one record. A CPU that did not answer is VERDICT_FAILED. */
void verdict_judge_cpu(struct cpu_record *record);

/* Returns the number of judged records that have the word. */
size_t verdict_count(const struct cpu_record *records, size_t count,
                     enum verdict_word word);

/* Returns whether a record was judged READY. */
static inline bool verdict_is_ready(const struct cpu_record *record)
{
    return record->judgement.word == VERDICT_READY;
}

/*
 * Appends the text that follows "hymir: cpu 0: apic 0: " for a judged record: "ok", or
 * the word with what is wrong and the raw values.
 */
void verdict_describe_cpu(const struct cpu_record *record, struct text *text);

#endif
