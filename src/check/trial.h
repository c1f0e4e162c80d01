/*
 * The experiment: virtualization tried on one CPU, step by step, and what happened
 * recorded.
 *
 * Performs the rows of the record's struct virtualization in order, as far as they pass,
 * measures the first CPU of each core type, and leaves virtualization on every path.
 */
#ifndef HYMIR_CHECK_TRIAL_H
#define HYMIR_CHECK_TRIAL_H

#include "virt/virtualization.h"

/*
 * Runs the trial of a struct trial, whose record names the virtualization, on the CPU
 * that executes this. A cpu_work. One CPU at a time.
 */
void trial_run(void *argument);

/*
 * Logs, at LOG_DEBUG, all that a record rests on, raw, and each step with its source. The
 * lines of any machine can become a snapshot for the unit tests.
 */
void trial_log(const struct cpu_record *record, uint32_t cpu);

#endif
