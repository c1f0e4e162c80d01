/* src/lib/log.c, spinlock.h and sheet.c. */
#include "unit.h"

#include "lib/sheet.h"
#include "lib/spinlock.h"

static void test_levels(void **state)
{
    (void)state;
    log_set_level(LOG_WARNING);
    log_info("not this");
    log_debug("nor this");
    log_warning("but %s", "this");
    log_error("and this");
    log_plain("as it is");
    assert_string_equal(captured_log, "warning: but this\nerror: and this\nas it is\n");
    log_set_level(LOG_INFO);
}

static void test_newest_error(void **state)
{
    (void)state;
    char line[LOG_LINE_SIZE];
    log_copy_newest_error(line);
    assert_string_equal(line, "error: and this"); /* of the test before */
    log_error("%s", "an\nother");
    log_warning("no error");
    log_plain("error: no error either");
    log_copy_newest_error(line);
    assert_string_equal(line, "error: an?other");
    log_error("%0300d", 0);
    log_copy_newest_error(line);
    assert_int_equal(strlen(line), LOG_LINE_SIZE - 2);
}

static void test_long_line(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
    assert_int_equal(captured_length, LOG_LINE_SIZE - 1);
    assert_int_equal(captured_log[captured_length - 1], '\n');
    log_info("next");
    assert_logged("\ninfo: next\n");
}

/* Untrusted text cannot end a line or control a terminal. */
static void test_unprintable(void **state)
{
    (void)state;
    log_info("\"%s\"", "a\nhymir: verdict: READY\r\x1B[2J\xFF");
    assert_logged("info: \"a?hymir: verdict: READY??[2J?\"\n");
}

static char replayed[65536];
static size_t replayed_length;

static void note_text(const char *text, size_t length)
{
    memcpy(replayed + replayed_length, text, length);
    replayed_length += length;
    replayed[replayed_length] = '\0';
}

static void test_replay(void **state)
{
    (void)state;
    replayed_length = 0;
    log_info("before the replay");
    log_replay(note_text);
    assert_non_null(strstr(replayed, "info: before the replay\n"));

    /* Much more than the ring holds: the newest lines are replayed, in order. */
    for (int i = 0; i < 2000; i++)
        log_info("line %d", i);
    replayed_length = 0;
    log_replay(note_text);
    assert_true(replayed_length > 8100 && replayed_length < 8300);
    assert_int_equal(
        strncmp(replayed, "warning: log: older lines were overwritten\ninfo: line ", 54),
        0);
    const char *tail =
        replayed + replayed_length - strlen("info: line 1998\ninfo: line 1999\n");
    assert_string_equal(tail, "info: line 1998\ninfo: line 1999\n");
    assert_null(strstr(replayed, "line 100\n"));
}

/* A lock whose holder is gone is skipped in bounded time; tickets are served in order. */
static void test_spinlock(void **state)
{
    (void)state;
    static struct spinlock lock;
    spinlock_release(&lock, spinlock_acquire(&lock));
    unsigned int dead  = spinlock_acquire(&lock);
    unsigned int alive = spinlock_acquire(&lock);
    assert_int_equal(alive, dead + 1);
    spinlock_release(&lock, dead); /* it was not the holder; its turn has ended anyway */
    assert_int_equal(lock.serving, alive);
    spinlock_release(&lock, alive);
    spinlock_release(&lock, spinlock_acquire(&lock));
    assert_int_equal(lock.serving, lock.next);
}

static void test_sheet_rows(void **state)
{
    (void)state;
    struct sheet sheet = {0};
    char text[100];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    sheet_add(&sheet, EMPHASIS_GOOD, "%s", text);
    assert_int_equal(strlen(sheet.row[0].text), SHEET_COLUMNS);
    for (int i = 1; i < SHEET_ROWS; i++)
        sheet_add(&sheet, EMPHASIS_NORMAL, "%d", i);
    assert_int_equal(sheet.rows, SHEET_ROWS);
    assert_false(sheet.overflow);
    sheet_add(&sheet, EMPHASIS_NORMAL, "one too many");
    assert_int_equal(sheet.rows, SHEET_ROWS);
    assert_true(sheet.overflow);
}

static void test_sheet_wrap(void **state)
{
    (void)state;
    struct sheet sheet = {0};
    const char *text =
        "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 "
        "0123456789 abcdefgh ijkl";
    assert_int_equal(sheet_wrapped_rows(text), 2);
    sheet_add_wrapped(&sheet, EMPHASIS_NORMAL, 5, 4, text);
    assert_int_equal(sheet.rows, 2);
    assert_string_equal(sheet.row[0].text, "0123456789 0123456789 0123456789 0123456789 "
                                           "0123456789 0123456789 0123456789");
    assert_string_equal(sheet.row[1].text, "    abcdefgh ijkl");

    /* A word longer than a row is split; text that does not fit ends in dots. */
    char word[300];
    memset(word, 'w', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    assert_int_equal(sheet_wrapped_rows(word), 4);
    sheet = (struct sheet){0};
    sheet_add_wrapped(&sheet, EMPHASIS_NORMAL, 2, 0, word);
    assert_int_equal(sheet.rows, 2);
    assert_int_equal(strlen(sheet.row[1].text), SHEET_COLUMNS);
    assert_string_equal(sheet.row[1].text + SHEET_COLUMNS - 4, "w...");

    sheet = (struct sheet){0};
    sheet_add_wrapped(&sheet, EMPHASIS_NORMAL, 1, 0, text);
    assert_string_equal(sheet.row[0].text + 70, "456789...");
    sheet_add_wrapped(&sheet, EMPHASIS_NORMAL, 3, 0, "");
    assert_int_equal(sheet.rows, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_levels, start_log),
        cmocka_unit_test_setup(test_newest_error, start_log),
        cmocka_unit_test_setup(test_long_line, start_log),
        cmocka_unit_test_setup(test_unprintable, start_log),
        cmocka_unit_test_setup(test_replay, start_log),
        cmocka_unit_test(test_spinlock),
        cmocka_unit_test(test_sheet_rows),
        cmocka_unit_test(test_sheet_wrap),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
