/*
 * Ways to violate each rule of VM entry on VT-x, one at a time, from a good snapshot: for
 * the unit tests of the rules and for selftest=entries, which lets the processor judge.
 * Pure.
 */
#ifndef HYMIR_TESTS_FAULTS_PERTURBATION_H
#define HYMIR_TESTS_FAULTS_PERTURBATION_H

#include "vmx/entry_rules.h"

/* A rule and one of its values, and one of the ways to violate it. */
struct perturbation {
    const struct entry_rule *rule;
    uint32_t instance;
    uint32_t way;
};

/*
 * Changes a good snapshot of a guest in 64-bit mode so that the rule's conditions hold
 * and it does not violate any rule. Returns false if there is no such way.
 */
bool perturbation_prepare(const struct perturbation *perturbation,
                          struct entry_snapshot *snapshot);

/* Violates the rule in a prepared snapshot. */
void perturbation_apply(const struct perturbation *perturbation,
                        struct entry_snapshot *snapshot);

#endif
