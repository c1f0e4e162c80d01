/* src/lib/history.c. */
#include "unit.h"

#include "lib/history.h"

#define SIZE 16

static char buffer[SIZE + 2];
static struct history history;
static char replayed[4096];
static unsigned int parts;

static int history_start(void **state)
{
    (void)state;
    memset(buffer, '#', sizeof(buffer));
    history = (struct history){.buffer = buffer, .size = SIZE};
    return 0;
}

static void note_text(const char *text, size_t length)
{
    assert_true(length > 0);
    strncat(replayed, text, length);
    parts++;
}

static const char *replay_all(void)
{
    replayed[0] = '\0';
    parts       = 0;
    history_replay(&history, note_text);
    assert_true(parts <= 2);
    assert_memory_equal(buffer + SIZE, "##", 2);
    return replayed;
}

static void append_text(const char *text)
{
    history_append(&history, text, strlen(text));
}

static void test_all_of_it(void **state)
{
    (void)state;
    assert_string_equal(replay_all(), "");
    append_text("one\n");
    append_text("");
    append_text("two");
    assert_string_equal(replay_all(), "one\ntwo");
    append_text("\n45678901");
    assert_false(history_is_cut(&history));
    assert_string_equal(replay_all(), "one\ntwo\n45678901");
    assert_int_equal(parts, 1);
}

static void test_newest(void **state)
{
    (void)state;
    append_text("one\ntwo\nthree\nfour");
    assert_true(history_is_cut(&history));
    assert_string_equal(replay_all(), "two\nthree\nfour");
    append_text("!\n");
    assert_string_equal(replay_all(), "three\nfour!\n");
    append_text("a text that is much longer than what is kept\nlast\n");
    assert_string_equal(replay_all(), "last\n");
}

/* A line longer than the buffer starts at the oldest byte. */
static void test_no_line(void **state)
{
    (void)state;
    append_text("0123456789abcdefghij");
    assert_string_equal(replay_all(), "456789abcdefghij");
}

/* A late line end does not discard the text before it. */
static void test_long_line(void **state)
{
    (void)state;
    static char large[1024];
    char text[2000];
    history = (struct history){.buffer = large, .size = sizeof(large)};
    memset(text, 'x', sizeof(text));
    history_append(&history, text, sizeof(text));
    history_append(&history, "\nend\n", 5);
    assert_int_equal(strlen(replay_all()), sizeof(large));
    history_append(&history, text, 763); /* that line end is now the 257th byte */
    assert_int_equal(strlen(replay_all()), sizeof(large));
    history_append(&history, text, 1);
    assert_int_equal(strlen(replay_all()), sizeof(large) - HISTORY_LINE_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_of_it, history_start),
        cmocka_unit_test_setup(test_newest, history_start),
        cmocka_unit_test_setup(test_no_line, history_start),
        cmocka_unit_test_setup(test_long_line, history_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
