/*
 * Evaluates the conditions of requirements on a machine: for each CPU or VT-d unit, or
 * once. Pure.
 */
#ifndef HYMIR_REPORT_CONDITION_H
#define HYMIR_REPORT_CONDITION_H

#include "report/facts.h"
#include "report/requirements.h"

#include <stdbool.h>

/* A machine, prepared once for all hypervisors. */
struct hypervisor_question {
    const struct report_facts *facts;
    struct capability_set usable; /* on all CPUs */
    bool has_capabilities;        /* false: no CPU has any, or none answered */
    bool has_unseen;              /* CPUs that did not answer, or may exist */
};
void hypervisor_question_prepare(const struct report_facts *facts,
                                 struct hypervisor_question *question);

/* The outcome of a condition for the values so far. */
struct tally {
    const struct condition *condition;
    uint64_t first; /* the first known value, masked */
    bool has_unknown, has_passed;
    bool has_failed; /* for a known value */
    bool has_first;
};

/* Returns the outcome of a condition for all values that it is about. */
struct tally condition_tally(const struct condition *condition,
                             const struct hypervisor_question *question);

#endif
