/*
 * The answer: does VT-x work on this machine, and if not, why not and what to do.
 *
 * Pure: functions of the records of all CPUs. docs/VERDICT.md is the user's page on the
 * words.
 */
#ifndef HYMIR_VMX_VERDICT_H
#define HYMIR_VMX_VERDICT_H

#include "lib/format.h"
#include "vmx/check.h"
#include "vmx/record.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The words that scripts rely on; VERDICT_NO_LONG_MODE is said by boot/multiboot.asm, in
 * its words.
 */
enum verdict_word {
    VERDICT_READY,
    VERDICT_NOT_INTEL,
    VERDICT_NO_VMX,
    VERDICT_HIDDEN_BY_HYPERVISOR,
    VERDICT_LOCKED_OFF,
    VERDICT_TXT_ONLY,
    VERDICT_UNLOCKED,
    VERDICT_MIXED,
    VERDICT_FAILED,
};

const char *verdict_name(enum verdict_word word);

/* What is judged: the machine, and which of its CPUs were looked at, and why not all. */
struct verdict_scope {
    const char *machine;  /* maker and product, or "unknown" */
    bool nosmp;           /* the option: the boot CPU alone */
    bool no_cpu_list;     /* ACPI names no CPUs: the boot CPU alone */
    bool broken_cpu_list; /* ACPI's list ends in a broken entry: those in front of it */
    bool no_start;        /* the other CPUs could not be started at all */
    size_t dropped;       /* CPUs beyond what Hymir supports or has memory for */
};

/* What one CPU comes to; VERDICT_FAILED too if it did not answer. */
enum verdict_word verdict_of_cpu(const struct vmx_record *record);

/*
 * Appends what the line of a CPU says behind "hymir: cpu 0: apic 0: ": "ok", or the word
 * with what is wrong and the raw values.
 */
void verdict_describe_cpu(const struct vmx_record *record, struct text *text);

/*
 * Decides over count records, at least one, the boot CPU's first, and appends what the
 * verdict's line says behind "hymir: verdict: WORD: ".
 */
enum verdict_word verdict_decide(const struct vmx_record *records, size_t count,
                                 const struct verdict_scope *scope, struct text *text);

#endif
