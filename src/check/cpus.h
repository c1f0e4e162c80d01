/*
 * The trial of every CPU of the machine.
 *
 * Owns the records, the boot CPU's first, one for each CPU of platform/smp.h. CPUs are
 * tried one after the other, so that a failure is attributed to the right one; the boot
 * CPU comes last, when others can watch it.
 */
#ifndef HYMIR_CHECK_CPUS_H
#define HYMIR_CHECK_CPUS_H

#include "lib/options.h"
#include "virt/virtualization.h"

/*
 * Tries virtualization on all CPUs. If the boot CPU does not return from its trial,
 * another CPU stops it and calls finish, which does not return. STATUS_NO_MEMORY. On the
 * boot CPU, once.
 */
enum status MUST_CHECK cpus_check(const struct virtualization *virtualization,
                                  const struct options *options, void (*finish)(void));

/* Returns the records, smp_count() of them. */
struct cpu_record *cpus_records(void);

#endif
