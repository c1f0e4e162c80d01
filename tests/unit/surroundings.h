/* The facts of a report, and what its rows of the surroundings say. */
#ifndef HYMIR_TESTS_SURROUNDINGS_H
#define HYMIR_TESTS_SURROUNDINGS_H

#include "unit.h"

#include "report/surroundings.h"

static struct report_facts facts;

static inline void assert_surrounded(const char *key, const char *expected_state,
                                     const char *expected)
{
    const struct surrounding *row = surroundings;
    TEXT_DECLARE(state, SURROUNDING_STATE_SIZE);
    TEXT_DECLARE(text, 256);
    while (strcmp(row->key, key) != 0)
        assert_true(++row < surroundings + SURROUNDINGS);
    row->describe(&(struct surrounding_query){row, &facts, &state, &text});
    assert_string_equal(state.buffer, expected_state);
    if (strstr(text.buffer, expected) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", text.buffer, expected);
}

#endif
