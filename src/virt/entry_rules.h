/*
 * The rules that VM entry checks, as data: judged over a snapshot of a VMCS or VMCB and
 * of the registers that report capabilities, so that a failed entry is explained.
 *
 * vmx/entry_rules.h has VT-x's rules, svm/entry_rules.h AMD-V's. Nothing is assumed: a
 * value that the snapshot lacks makes a rule that needs it ENTRY_UNKNOWN. Pure.
 */
#ifndef HYMIR_VIRT_ENTRY_RULES_H
#define HYMIR_VIRT_ENTRY_RULES_H

#include "lib/bits.h"
#include "lib/format.h"
#include "virt/capability.h"

/*
 * The values of a snapshot: the fields of the control structure, capability registers and
 * other facts about the processor, by the vendor's dense numbers. 0 is no value.
 */
#define ENTRY_VALUES_MAX 320
#define ENTRY_VALUE_NONE 0

struct entry_snapshot {
    uint64_t value[ENTRY_VALUES_MAX]; /* 0 if unknown */
    uint64_t known[ENTRY_VALUES_MAX / 64];
};

/* Returns whether the snapshot has a value. */
static inline bool entry_snapshot_has(const struct entry_snapshot *snapshot,
                                      uint32_t value)
{
    return (snapshot->known[value / 64] & BIT(value % 64)) != 0;
}

/* Sets a value. */
static inline void entry_snapshot_set(struct entry_snapshot *snapshot, uint32_t value,
                                      uint64_t content)
{
    snapshot->value[value] = content;
    snapshot->known[value / 64] |= BIT(value % 64);
}

/* Removes a value, which is then unknown. */
static inline void entry_snapshot_remove(struct entry_snapshot *snapshot, uint32_t value)
{
    snapshot->value[value] = 0;
    snapshot->known[value / 64] &= ~BIT(value % 64);
}

/* The names of the bits of adjacent values, such as the access rights of segments. */
struct entry_bit_names {
    uint16_t first, last;                 /* values */
    uint16_t group;                       /* of the bits in the table */
    const struct capability_table *table; /* only its rows are used */
};

/* When the processor checks a rule. A failure shows in which phases it can be. */
enum entry_phase {
    ENTRY_INSTRUCTION, /* before any field: whether the instruction can enter a guest */
    ENTRY_CONTROLS,
    ENTRY_HOST_STATE,
    ENTRY_GUEST_STATE,
    ENTRY_MSR_LOADING,
    ENTRY_PHASES,
};
#define ENTRY_ALL_PHASES BITS_MASK(ENTRY_PHASES - 1, 0)

enum entry_verdict {
    ENTRY_HOLDS,
    ENTRY_VIOLATED,
    ENTRY_UNKNOWN, /* the snapshot lacks a value */
    ENTRY_NOT_APPLICABLE,
    ENTRY_VERDICTS,
};

struct entry_query;
typedef enum entry_verdict entry_test(struct entry_query *query);

/* A bit of a value that must be set, or clear, for a rule to apply. */
struct entry_condition {
    uint16_t value; /* ENTRY_VALUE_NONE: no condition */
    uint8_t bit;
    bool is_set;
};
#define ENTRY_CONDITIONS 3
#define ENTRY_CONDITION(value, flag, is_set)          \
    {                                                 \
        value, (uint8_t)__builtin_ctzll(flag), is_set \
    }

/* A rule. It is judged once for each of count adjacent values, such as segments. */
struct entry_rule {
    const char *name;     /* unique: lower case, with hyphens */
    const char *sentence; /* what must hold */
    const char *cause;    /* the usual mistake; NULL: none is typical */
    entry_test *test;
    uint64_t mask, expected; /* parameters of the test */
    uint16_t value;          /* at fault, if violated */
    uint16_t other;          /* a parameter of the test */
    uint8_t count;           /* of values; 0: 1 */
    uint8_t qualification;   /* the exit qualification of its failure, if not 0 */
    struct entry_condition when[ENTRY_CONDITIONS]; /* all must be met, in this order */
    const char *root; /* the rule whose violation usually entails this one's, or NULL */
};

/* Returns of how many values a rule is judged. */
static inline uint32_t entry_rule_value_count(const struct entry_rule *rule)
{
    return rule->count > 0 ? rule->count : 1;
}

/* The rules of a section of the manual. */
struct entry_section {
    const char *title; /* as cited: SDM 3C, "..." */
    enum entry_phase phase;
    const struct entry_rule *rules;
    size_t count;
};

/* A vendor's rules: the sections in the order in which to mend violations. */
struct entry_rules {
    const char *const *value_names; /* by number; that of ENTRY_VALUE_NONE is NULL */
    size_t value_count;
    const struct entry_bit_names *bit_names;
    size_t bit_names_count;
    const struct entry_section *const *sections;
    size_t section_count;

    /* Adds values that follow from those of the snapshot. NULL: none. */
    void (*derive)(struct entry_snapshot *snapshot);
};

/* The judgement on one rule and one of its values. */
#define ENTRY_READS 8
struct entry_finding {
    const struct entry_rule *rule;
    const struct entry_section *section;
    enum entry_verdict verdict;
    uint16_t value;   /* at fault */
    uint16_t missing; /* if ENTRY_UNKNOWN: the first value that the snapshot lacks */
    uint64_t bits;    /* at fault, if ENTRY_VIOLATED */
    uint64_t nearest; /* the nearest value that satisfies the rule, if ENTRY_VIOLATED */
    uint16_t read[ENTRY_READS]; /* the other values that decided, in order */
    bool is_consequence;        /* the rule that rule->root names is violated too */
};

/* A rule that is being judged; for test functions. */
struct entry_query {
    const struct entry_snapshot *snapshot;
    const struct entry_rule *rule;
    uint32_t instance; /* 0 to rule->count - 1 */
    struct entry_finding *finding;
};

/*
 * Reads a value. If it is unknown, returns 0 and makes the verdict ENTRY_UNKNOWN whatever
 * the test returns; entry_has avoids that.
 */
uint64_t entry_read(struct entry_query *query, uint32_t value);
bool entry_has(const struct entry_query *query, uint32_t value);

/* Reads the value that the rule judges. */
uint64_t entry_read_own(struct entry_query *query);

/*
 * Judges the rule's value: it holds if it equals the nearest value that satisfies the
 * rule; otherwise the bits in which they differ are at fault.
 */
enum entry_verdict entry_require(struct entry_query *query, uint64_t nearest);

/* Returns ENTRY_VIOLATED with these bits and nearest value. */
enum entry_verdict entry_violate(struct entry_query *query, uint64_t bits,
                                 uint64_t nearest);

/*
 * Return the width of linear and of physical addresses, a value. If it is unknown but
 * does not decide whether an address is valid, because no processor has a smaller or a
 * larger one, they return one that gives the right answer; otherwise see entry_read.
 */
uint32_t entry_linear_width(struct entry_query *query, uint32_t width, uint64_t address);
uint32_t entry_physical_width(struct entry_query *query, uint32_t width,
                              uint64_t address);

/* Test functions for any vendor, of the rule's value. */
entry_test entry_test_equal;     /* the bits of mask equal expected */
entry_test entry_test_not_zero;  /* some bit of mask is set; the nearest is expected */
entry_test entry_test_canonical; /* canonical for the width, in bits, that is other */
entry_test entry_test_address;   /* the bits of mask are clear, and those from other on */
entry_test entry_test_below;     /* a number of at most expected in mask */
entry_test entry_test_pat;       /* each byte is a memory type of the PAT */

/* How often each verdict was given. */
struct entry_count {
    size_t verdicts[ENTRY_VERDICTS];
};

/*
 * Judges all rules of the phases, a set of BIT(enum entry_phase), and calls visit, if not
 * NULL, with the finding on each of their values, in the sections' order; consequences
 * come last. Completes the snapshot by rules->derive.
 */
typedef void entry_visit(void *context, const struct entry_finding *finding);
struct entry_count entry_judge(const struct entry_rules *rules,
                               struct entry_snapshot *snapshot, uint64_t phases,
                               entry_visit *visit, void *context);

/* Returns the rule with a name, or NULL. */
const struct entry_rule *entry_rule_find(const struct entry_rules *rules,
                                         const char *name);

/* Appends "bit 14 (BS), bit 16 (RTM)": each bit, with its name if it has one. */
void entry_append_bits(const struct entry_rules *rules, uint32_t value, uint64_t bits,
                       struct text *text);

/*
 * Describes a violation in lines of at most 78 characters: the field, its value and the
 * bits at fault; the rule, the section, the values that make it apply; the nearest value
 * that satisfies it, the usual cause, and whether it is a consequence.
 */
typedef void entry_print(void *context, const char *line);
void entry_describe(const struct entry_rules *rules,
                    const struct entry_snapshot *snapshot,
                    const struct entry_finding *finding, entry_print *print,
                    void *context);

/* The violations of an entry that failed, in short. */
#define ENTRY_SUMMARY_MAX 3
struct entry_summary {
    const struct entry_rules *rules;
    size_t count; /* of violations; the first are kept, with their values' contents */
    struct entry_finding first[ENTRY_SUMMARY_MAX];
    uint64_t content[ENTRY_SUMMARY_MAX];
};

/*
 * Returns whether a violation can have caused a failure with a VM-instruction error, of
 * whose phases it is: each basic check has an error of its own. 0: no or any error.
 */
static inline bool entry_finding_explains(const struct entry_finding *finding,
                                          uint32_t error)
{
    return finding->section->phase != ENTRY_INSTRUCTION || error == 0 ||
           finding->rule->qualification == error;
}

/*
 * Judges the rules of the phases that a failure can mean, logs each violation that
 * explains it (see entry_describe, entry_finding_explains), and adds it to the summary.
 * If there is none, logs how many rules could not be judged.
 */
void entry_explain(const struct entry_rules *rules, struct entry_snapshot *snapshot,
                   uint64_t phases, uint32_t error, struct entry_summary *summary);

/* Logs the violations, of any rule, that will let an entry fail, if there are any. */
void entry_check(const struct entry_rules *rules, struct entry_snapshot *snapshot);

/* Appends the first violation, and how many more there are; nothing if there is none. */
void entry_summary_append(const struct entry_summary *summary, struct text *text);

#endif
