/*
 * The hypervisor around Hymir, if there is one: its name, and how to make it show VT-x.
 *
 * Pure. By the signature in its CPUID leaves (cpu/cpuid.h), and by the machine's name,
 * maker and product, where that tells more.
 */
#ifndef HYMIR_CHECK_OUTER_HYPERVISOR_H
#define HYMIR_CHECK_OUTER_HYPERVISOR_H

#include "virt/virtualization.h"

/*
 * Appends a name with the signature, the signature alone if it is unknown, or "none
 * around Hymir".
 */
void outer_hypervisor_describe(const struct cpuid_snapshot *cpuid, const char *machine,
                               struct text *text);

/* Appends ": " and what is known not to work, or to be slow, for guests inside it. */
void outer_hypervisor_describe_limits(const struct cpuid_snapshot *cpuid,
                                      const char *machine, struct text *text);

/*
 * Appends what the hypervisor does to VT-x, such as "hides", and what to do about it.
 * There is one: cpuid_has_hypervisor.
 */
void outer_hypervisor_advise(const struct cpu_record *record, const char *machine,
                             const char *does, struct text *text);

#endif
