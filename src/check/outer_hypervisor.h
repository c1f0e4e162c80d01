/*
 * The hypervisor that Hymir runs in, if any: its name, and how to enable nested
 * virtualization in it.
 *
 * Pure. Identified by the signature in its CPUID leaves (cpu/cpuid.h) and, as VirtualBox
 * and QEMU may present another one's, by the machine's manufacturer and product.
 */
#ifndef HYMIR_CHECK_OUTER_HYPERVISOR_H
#define HYMIR_CHECK_OUTER_HYPERVISOR_H

#include "virt/virtualization.h"

/*
 * Appends its name, or "unknown", with the signature in brackets; or "none detected".
 */
void outer_hypervisor_describe(const struct cpuid_snapshot *cpuid, const char *machine,
                               struct text *text);

/* Appends ": " and known limitations of nesting the record's virtualization. */
void outer_hypervisor_describe_limits(const struct cpu_record *record,
                                      const char *machine, struct text *text);

/*
 * Appends what the hypervisor does to virtualization, such as "hides", and how to enable
 * it. Requires cpuid_has_hypervisor().
 */
void outer_hypervisor_advise(const struct cpu_record *record, const char *machine,
                             const char *does, struct text *text);

#endif
