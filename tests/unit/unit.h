/*
 * Included by every unit test: cmocka, and the log in a buffer that tests can read.
 */
#ifndef HYMIR_TESTS_UNIT_H
#define HYMIR_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/log.h"

static char captured_log[16384];
static size_t captured_length;

static inline void capture_log(const char *text, size_t length)
{
    if (length > sizeof(captured_log) - 1 - captured_length)
        length = sizeof(captured_log) - 1 - captured_length;
    memcpy(captured_log + captured_length, text, length);
    captured_length += length;
    captured_log[captured_length] = '\0';
}

/* Empties the log. A cmocka setup function. */
static inline int start_log(void **state)
{
    (void)state;
    captured_length = 0;
    captured_log[0] = '\0';
    log_set_output(capture_log);
    return 0;
}

static inline void assert_logged(const char *text)
{
    if (strstr(captured_log, text) == NULL)
        fail_msg("not in the log: \"%s\"; the log is:\n%s", text, captured_log);
}

static inline void assert_nothing_logged(void)
{
    assert_string_equal(captured_log, "");
}

#endif
