/*
 * Runs guests from the boot loader's modules, each vCPU on a CPU of its own.
 */
#ifndef HYMIR_RUNNER_GUESTS_H
#define HYMIR_RUNNER_GUESTS_H

#include "lib/options.h"
#include "report/facts.h"
#include "virt/virtualization.h"

/* Logs at LOG_INFO what a CPU lacks to run guests, if anything. */
void guests_log_missing(const struct cpu_record *record);

/*
 * Creates guests from the modules, runs them on CPUs whose check succeeded, and returns
 * when all have ended, or never with exit=halt. Logs each invalid module and skips it;
 * does nothing without modules. On the boot CPU.
 */
void guests_run(const struct options *options, const struct report_facts *facts);

#endif
