/*
 * Collects the facts of the report from the machine and its CPUs' records.
 */
#ifndef HYMIR_RUNNER_FACTS_H
#define HYMIR_RUNNER_FACTS_H

#include "lib/options.h"
#include "report/facts.h"

/* Judges the records of all CPUs, after the last trial. Called once. */
void facts_collect(const struct options *options, struct report_facts *facts);

#endif
