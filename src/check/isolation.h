/*
 * Which known issues a CPU has, and what Hymir does about each: the decisions of
 * virt/issues.h for a record, with the options that bear on them, in words.
 *
 * Pure, except for isolation_log.
 */
#ifndef HYMIR_CHECK_ISOLATION_H
#define HYMIR_CHECK_ISOLATION_H

#include "lib/format.h"
#include "virt/issues.h"
#include "virt/record.h"

/* The options. */
struct isolation_options {
    enum mitigations mitigations;
    bool large_pages;  /* for guests, whatever the processor */
    bool shares_cores; /* guests do */
};

struct isolation_options isolation_options_of(const struct options *options);

/* The issues of a CPU. */
struct isolation {
    struct issue_facts facts;
    struct issue_finding finding[ISSUES];
};

struct isolation isolation_of(const struct cpu_record *record,
                              const struct isolation_options *options);

/*
 * Returns whether returns must be aligned on a processor of which there is no record yet,
 * by its CPUID and IA32_ARCH_CAPABILITIES.
 */
bool isolation_aligns_returns(const struct cpuid_snapshot *cpuid,
                              uint64_t arch_capabilities, enum mitigations mitigations);

/* Returns whether the issue needs nothing, or all that was chosen for it is done. */
bool isolation_is_complete(const struct issue_finding *finding);

/* The groups into which the measures of an issue fall. */
enum isolation_group {
    ISOLATION_DONE,
    ISOLATION_NOT_DONE,     /* not by this version of Hymir */
    ISOLATION_WAIVED,       /* by an option */
    ISOLATION_NO_MICROCODE, /* the processor, with its microcode, does not support it */
    ISOLATION_GROUPS,
};
extern const char *const isolation_group_names[ISOLATION_GROUPS];

/* Returns the measures of a group, a bit for each. */
uint32_t isolation_measures(const struct issue_finding *finding,
                            enum isolation_group group);

/* Returns whether a measure is in that group for an issue of the CPU. */
bool isolation_has(const struct isolation *isolation, enum isolation_group group,
                   enum measure measure);

/* Appends what is done about an issue: the groups that are not empty, or "nothing". */
void isolation_describe(const struct issue_finding *finding, struct text *text);

/* Appends the names of the issues in a state, or "none". */
void isolation_list(const struct isolation *isolation, enum issue_state state,
                    struct text *text);

/* Returns what a CPU writes when a guest gets it, for the measures that are done. */
struct guest_controls isolation_controls(const struct isolation *isolation);

/* Logs the issues, and what is done, of the first CPU of each set of identical CPUs. */
void isolation_log(const struct cpu_record *records, size_t count,
                   const struct isolation_options *options);

#endif
