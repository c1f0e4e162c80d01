/*
 * The table of issues: which processors have each one, and the measures against it, in
 * order of their effect. docs/SECURITY.md has the reasons. Pure.
 */
#ifndef HYMIR_VIRT_ISSUE_RULES_H
#define HYMIR_VIRT_ISSUE_RULES_H

#include "virt/issues.h"

#define ISSUE_REMEDIES_MAX 6

/* A measure against an issue. */
struct issue_remedy {
    enum measure measure;
    enum { REMEDY_AUTO, REMEDY_ONLY_ALL } level; /* of mitigations= */
    uint64_t needs;  /* one of these traits; without any, the microcode lacks it */
    uint64_t only;   /* unless 0, applies only with one of these traits */
    uint64_t unless; /* does not apply with any of these traits */
    uint64_t micros; /* unless 0, applies only to these */
};

/* Which processors have an issue, and the remedies, of which unused ones are 0. */
struct issue_rule {
    uint64_t micros;  /* that have it, unless a trait excludes it */
    uint64_t immune;  /* with all of these traits not */
    uint64_t exposed; /* unless 0, only with one of these traits */
    uint64_t always;  /* any processor with one of these traits */
    size_t count;
    struct issue_remedy remedies[ISSUE_REMEDIES_MAX];
};
extern const struct issue_rule issue_rules[ISSUES];

#endif
