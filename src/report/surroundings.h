/*
 * What surrounds VT-x on this machine: VT-d, what else IA32_FEATURE_CONTROL governs, the
 * errata that a hypervisor works around, address widths, the hypervisor around Hymir.
 *
 * SDM 4, "Architectural MSRs" (IA32_FEATURE_CONTROL, IA32_ARCH_CAPABILITIES); SDM 2,
 * "CPUID". Pure.
 */
#ifndef HYMIR_REPORT_SURROUNDINGS_H
#define HYMIR_REPORT_SURROUNDINGS_H

#include "lib/format.h"
#include "report/facts.h"

enum surrounding {
    SURROUNDING_VT_D,
    SURROUNDING_SMX,
    SURROUNDING_TXT,
    SURROUNDING_SGX,
    SURROUNDING_MULTIHIT,
    SURROUNDING_L1TF,
    SURROUNDING_MDS,
    SURROUNDING_LA57,
    SURROUNDING_ADDRESS_WIDTH,
    SURROUNDING_HYPERVISOR,
    SURROUNDING_COUNT,
};

/* Its name in the report, and as a key for machines. */
const char *surrounding_name(enum surrounding surrounding);
const char *surrounding_key(enum surrounding surrounding);

/*
 * Appends what is the case, by the boot CPU's registers; an erratum is denied only if all
 * CPUs deny it. In state, of SURROUNDING_STATE_SIZE bytes, comes a word for machines that
 * docs/REPORT.md lists, and in text a sentence. On one CPU at a time.
 */
void surrounding_describe(enum surrounding surrounding, const struct report_facts *facts,
                          struct text *state, struct text *text);
#define SURROUNDING_STATE_SIZE 32

#endif
