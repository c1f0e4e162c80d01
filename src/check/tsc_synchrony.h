/*
 * Compares the time-stamp counters of the CPUs with the boot CPU's: their offsets, and
 * IA32_TSC_ADJUST, by which firmware can have moved them.
 *
 * CPUs that did not answer are ignored. SDM 3B, "Time-Stamp Counter Adjustment". Pure.
 */
#ifndef HYMIR_CHECK_TSC_SYNCHRONY_H
#define HYMIR_CHECK_TSC_SYNCHRONY_H

#include "virt/record.h"

struct tsc_synchrony_summary {
    size_t compared; /* CPUs other than the boot CPU */
    size_t missing;  /* CPUs that could not be compared */
    size_t in_step;
    uint64_t error;      /* the largest of those in step, in ticks */
    size_t first_off;    /* the first CPU that is not in step; 0: none is */
    size_t adjusted;     /* CPUs whose IA32_TSC_ADJUST is not the boot CPU's */
    size_t first_adjust; /* the first of them, or 0 */
};

struct tsc_synchrony_summary tsc_synchrony_summarize(const struct cpu_record *records,
                                                     size_t count);

/* Returns whether a summary needs attention. */
bool tsc_synchrony_is_bad(const struct tsc_synchrony_summary *summary);

/* Appends one sentence without its end, which begins with "TSCs". */
void tsc_synchrony_describe(const struct tsc_synchrony_summary *summary,
                            const struct cpu_record *records, struct text *text);

/* Appends what is unusual about the TSC of one CPU, each after a semicolon. */
void tsc_synchrony_describe_cpu(const struct cpu_record *record, struct text *text);

#endif
