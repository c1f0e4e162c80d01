/*
 * Rows of AMD-V's rules: for rules_controls.c and rules_state.c.
 */
#ifndef HYMIR_SVM_ENTRY_ROWS_H
#define HYMIR_SVM_ENTRY_ROWS_H

#include "svm/entry_rules.h"
#include "x86/svm_capabilities.h"

#define CONSISTENCY "APM 2, \"Canonicalization and Consistency Checks\""

/* Conditions: a flag of a value. */
#define IF_SET(field, flag)   ENTRY_CONDITION(SVM_VALUE_##field, flag, true)
#define IF_CLEAR(field, flag) ENTRY_CONDITION(SVM_VALUE_##field, flag, false)

/* The conditions of nested paging. */
#define NESTED_PAGING_IS_ON \
    IF_SET(NESTED, NESTED_PAGING), IF_CLEAR(LACKING, SVM_FEATURE_NESTED_PAGING)

/* A rule with a test of its own, and the rest of struct entry_rule. */
#define TEST(rule, field, function, words, usual, ...)                     \
    {                                                                      \
        .name = rule, .sentence = words, .cause = usual, .test = function, \
        .value = SVM_VALUE_##field, __VA_ARGS__                            \
    }

/* The bits of a value equal expected, if the conditions are met. */
#define EQUAL(rule, field, bits, content, words, usual, ...)                             \
    TEST(rule, field, entry_test_equal, words, usual, .mask = bits, .expected = content, \
         .when = {__VA_ARGS__})

/* A section of a table of rules. */
#define SECTION(heading, phase, table)           \
    {                                            \
        heading, phase, table, ARRAY_SIZE(table) \
    }

#endif
