/*
 * The trial of virtualization on one CPU, step by step.
 *
 * Performs the checks of the record's struct virtualization in order until one fails,
 * measures the first CPU of each core type, and always leaves virtualization.
 */
#ifndef HYMIR_CHECK_TRIAL_H
#define HYMIR_CHECK_TRIAL_H

#include "virt/virtualization.h"

/*
 * Runs a struct trial, whose record names the virtualization, on the current CPU. A
 * cpu_work. One CPU at a time.
 */
void trial_run(void *argument);

/*
 * Logs the raw registers of a record and each step with its source, at LOG_DEBUG. The
 * lines of any machine can become a snapshot for the unit tests.
 */
void trial_log(const struct cpu_record *record, uint32_t cpu);

#endif
