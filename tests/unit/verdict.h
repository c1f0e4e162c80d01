/*
 * Records of a machine with up to 64 CPUs, and the verdict on them.
 */
#ifndef HYMIR_TESTS_VERDICT_H
#define HYMIR_TESTS_VERDICT_H

#include "readings.h"

#include "check/verdict.h"

static struct cpu_record records[64];
static struct verdict_scope scope;
static char verdict_text[1024];

static inline void assert_words(const char *words)
{
    if (strstr(verdict_text, words) == NULL)
        fail_msg("\"%s\" has no \"%s\"", verdict_text, words);
}

static inline void assert_decides(size_t count, enum verdict_word expected)
{
    struct text text = {.buffer = verdict_text, .size = sizeof(verdict_text)};
    verdict_text[0]  = '\0';
    assert_int_equal(verdict_decide(records, count, &scope, &text), expected);
}

static inline const char *cpu_describe(size_t index)
{
    static char description[320];
    struct text text = {.buffer = description, .size = sizeof(description)};
    description[0]   = '\0';
    verdict_judge_cpu(&records[index]);
    verdict_describe_cpu(&records[index], &text);
    return description;
}

#endif
