/*
 * Platform features that matter to a hypervisor besides virtualization itself: IOMMUs,
 * what else IA32_FEATURE_CONTROL or SYSCFG governs, errata that a hypervisor works
 * around, address widths, the hypervisor that Hymir runs in.
 *
 * SDM 4, "Architectural MSRs" (IA32_FEATURE_CONTROL, IA32_ARCH_CAPABILITIES); SDM 2,
 * "CPUID"; APM 2, "System Configuration Register (SYSCFG)". Pure.
 */
#ifndef HYMIR_REPORT_SURROUNDINGS_H
#define HYMIR_REPORT_SURROUNDINGS_H

#include "lib/format.h"
#include "report/facts.h"

/* A row, the facts that it reads, and the texts that it writes. */
struct surrounding_query {
    const struct surrounding *row;
    const struct report_facts *facts;
    struct text *state, *text;
};

struct surrounding {
    const char *name; /* in the report */
    const char *key;  /* in the JSON */

    /*
     * Appends to *state, of SURROUNDING_STATE_SIZE bytes, a word of docs/REPORT.md, and
     * to *text a phrase. Reads the registers of the boot CPU; an erratum is excluded only
     * if all CPUs report that they do not have it.
     */
    void (*describe)(const struct surrounding_query *query);

    enum { OF_ANY, OF_INTEL, OF_AMD } brand; /* of the processors that may have it */

    /* The parameters of describe. */
    uint32_t feature;    /* a bit of a register of CPUID */
    size_t cpuid_offset; /* the register in struct cpuid_snapshot */
    const char *setting; /* of firmware, or the name of the MSR that it sets */
    uint32_t msr;        /* its number */
    uint64_t msr_bit;    /* enables the feature, or excludes the erratum */
    void (*append_details)(const struct surrounding_query *query, uint64_t msr);
    const char *mitigation; /* of the erratum, if the feature is present, or NULL */
    uint64_t unneeded;      /* of IA32_ARCH_CAPABILITIES: the mitigation is not needed */
};
#define SURROUNDING_STATE_SIZE 32

#define SURROUNDINGS 13
extern const struct surrounding surroundings[SURROUNDINGS];

/* Returns whether the pages show a row: unless it is of another brand's processors. */
bool surrounding_applies(const struct surrounding *row, const struct report_facts *facts);

#endif
