/* What the program says of a text, or of the dump in posting, for its tests. */
#ifndef HYMIR_TESTS_EXPLAINED_H
#define HYMIR_TESTS_EXPLAINED_H

#include "dumps.h"

#include "../../tools/explain/explanation.h"

static char output[1 << 20];
static size_t output_length;
static struct facts facts;

static inline void add_line(void *context, const char *line)
{
    (void)context;
    int length =
        snprintf(output + output_length, sizeof(output) - output_length, "%s\n", line);
    assert_true(length > 0 && (size_t)length < sizeof(output) - output_length);
    output_length += (size_t)length;
}

static inline enum explanation_status explain(const char *text, size_t length)
{
    output_length = 0;
    output[0]     = '\0';
    memset(&facts, 0, sizeof(facts));
    return explanation_print(text, length, &facts, add_line, NULL);
}

static inline enum explanation_status explain_string(const char *text)
{
    return explain(text, strlen(text));
}

static inline void assert_said(const char *words)
{
    if (strstr(output, words) == NULL)
        fail_msg("not said: \"%s\" in:\n%s", words, output);
}

static inline size_t count_said(const char *words)
{
    size_t count = 0;
    for (const char *at = output; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

static struct posting posting, changed;

/* Replaces words in posting, which must have them. */
static inline void replace(const char *from, const char *to)
{
    posting.text[posting.length] = '\0';
    char *at                     = strstr(posting.text, from);
    assert_non_null(at);
    size_t before  = (size_t)(at - posting.text);
    changed.length = 0;
    posting_add(&changed, posting.text, before);
    posting_add_string(&changed, to);
    posting_add(&changed, at + strlen(from), posting.length - before - strlen(from));
    posting = changed;
}

static inline enum explanation_status explain_posting(void)
{
    return explain(posting.text, posting.length);
}

#endif
