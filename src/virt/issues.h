/*
 * Known issues of processors by which a guest could read what is not its own or stop the
 * machine: which processors have each one, and what Hymir does about it.
 *
 * Facts: Intel, "Affected Processors: Transient Execution Attacks & Related Security
 * Issues by CPU", and its guidance on each issue; AMD, security bulletins; Linux 6.17,
 * arch/x86/kernel/cpu/common.c and bugs.c. docs/SECURITY.md explains each row. Pure.
 */
#ifndef HYMIR_VIRT_ISSUES_H
#define HYMIR_VIRT_ISSUES_H

#include "cpu/percpu.h"
#include "lib/options.h"
#include "virt/issue_facts.h"

enum issue {
    ISSUE_SPECTRE_V1,
    ISSUE_SPECTRE_V2,
    ISSUE_BHI,
    ISSUE_ITS,
    ISSUE_RETBLEED,
    ISSUE_SRSO,
    ISSUE_PBRSB,
    ISSUE_SMT_RSB,
    ISSUE_VMSCAPE,
    ISSUE_MELTDOWN,
    ISSUE_SSB,
    ISSUE_L1TF,
    ISSUE_MDS,
    ISSUE_TAA,
    ISSUE_MMIO,
    ISSUE_RFDS,
    ISSUE_TSA,
    ISSUE_SRBDS,
    ISSUE_GDS,
    ISSUE_ZENBLEED,
    ISSUE_ITLB_MULTIHIT,
    ISSUE_SIBLINGS,
    ISSUES,
};

enum issue_state {
    ISSUE_NOT_AFFECTED,
    ISSUE_AFFECTED,
    ISSUE_UNKNOWN, /* a processor that is newer than the lists: treated as affected */
    ISSUE_STATES,
};
extern const char *const issue_state_names[ISSUE_STATES];

/* What can be done. The first ones do not depend on mitigations=. */
enum measure {
    MEASURE_OWN_TABLES,
    MEASURE_NO_USER_MODE,
    MEASURE_MICROCODE,
    MEASURE_LFENCE,
    MEASURE_CLAMP, /* the last one of these */
    MEASURE_SMALL_PAGES,
    MEASURE_RETPOLINE,
    MEASURE_IBPB,
    MEASURE_ENHANCED_IBRS,
    MEASURE_AUTOMATIC_IBRS,
    MEASURE_STIBP,
    MEASURE_BHI_DIS_S,
    MEASURE_RRSBA_DIS_S,
    MEASURE_BP_SPEC_REDUCE,
    MEASURE_FP_BACKUP_FIX,
    MEASURE_SWITCH_ON,
    MEASURE_VERW,
    MEASURE_FLUSH_L1D,
    MEASURE_FILL_RSB,
    MEASURE_IBRS_ON_EXIT,
    MEASURE_IBPB_ON_EXIT,
    MEASURE_ALIGN_RETURNS,
    MEASURE_GUEST_CONTROLS,
    MEASURE_CORE_PER_GUEST,
    MEASURES,
};

struct measure_row {
    const char *name;
    bool is_implemented; /* by this version of Hymir */
};
extern const struct measure_row measure_rows[MEASURES];

/* The decision about an issue; sets of measures have BIT(MEASURE_IBPB) and so on. */
struct issue_finding {
    enum issue_state state;
    uint32_t chosen;  /* and possible */
    uint32_t waived;  /* would be chosen, but for an option of its own */
    uint32_t lacking; /* would be chosen if the microcode supported it */
};

struct issue_row {
    const char *name; /* in the report */
    const char *key;  /* in the JSON, and Linux's name in /proc/cpuinfo */
};
extern const struct issue_row issue_rows[ISSUES];

/* Returns what a CPU writes when a guest gets it, for a set of measures. */
struct guest_controls issue_controls(uint32_t measures);

struct issue_finding issue_decide(enum issue issue, const struct issue_facts *facts,
                                  enum mitigations mitigations);

#endif
