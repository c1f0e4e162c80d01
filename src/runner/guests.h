/*
 * The guests: out of the boot loader's modules, each on a CPU of its own.
 *
 * Beside main.c the code that sees both guest/ and vmx/.
 */
#ifndef HYMIR_RUNNER_GUESTS_H
#define HYMIR_RUNNER_GUESTS_H

#include "lib/options.h"
#include "virt/virtualization.h"

/* Logs in one line, at LOG_INFO, why guests cannot run on a CPU, if they cannot. */
void guests_log_missing(const struct cpu_record *record);

/*
 * Makes and runs what the boot loader's modules describe, on the CPUs whose records (one
 * for each CPU of platform/smp.h) are in order, and comes back when all guests have
 * ended. What is wrong with a module is said in one line, and the other guests still run.
 * Without modules it does nothing. On the boot CPU.
 */
void guests_run(const struct options *options, const struct cpu_record *records);

#endif
