/*
 * Runs the trial of each CPU of the machine.
 *
 * Owns the records, one for each CPU of platform/smp.h, the boot CPU's first. CPUs are
 * tried one at a time, so that a failure is attributed to the right one; the boot CPU is
 * the last, so that another one can watch it.
 */
#ifndef HYMIR_CHECK_CPUS_H
#define HYMIR_CHECK_CPUS_H

#include "check/isolation.h"
#include "lib/options.h"
#include "virt/virtualization.h"

/*
 * Tries on all CPUs the virtualization, of count vendors', that the boot CPU offers. If
 * the boot CPU does not return from its trial, another CPU stops it and calls finish,
 * which does not return. STATUS_NO_MEMORY. Called once, on the boot CPU.
 */
enum status MUST_CHECK cpus_check(const struct virtualization *const *vendors,
                                  size_t count, const struct options *boot_options,
                                  void (*finish)(void));

/* Returns the records, smp_count() of them. */
struct cpu_record *cpus_records(void);

/*
 * Chooses for each CPU that answered what it does about known issues of processors, and
 * logs it. Before guests run.
 */
void cpus_choose_measures(const struct isolation_options *isolation);

#endif
