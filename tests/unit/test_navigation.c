/* src/report/navigation.c. */
#include "hybrid_pages.h"

static enum navigation_outcome type_keys(const char *keys)
{
    enum navigation_outcome outcome = NAVIGATION_SAME;
    for (; *keys != '\0'; keys++)
        outcome = navigation_handle_byte(&navigation, (uint8_t)*keys);
    return outcome;
}

static void assert_at(enum report_section section, size_t page)
{
    assert_int_equal(navigation.section, section);
    assert_int_equal(navigation.page, page);
    navigation_compose(&navigation, &sheet);
    assert_false(sheet.overflow);
    assert_int_equal(sheet.rows, SHEET_ROWS);
}

static void test_numbers(void **state)
{
    (void)state;
    for (enum report_section i = REPORT_VERDICT; i < REPORT_SECTIONS; i++) {
        char key[] = {(char)('1' + i), '\0'};
        type_keys(key);
        assert_at(i, 0);
        assert_int_equal(type_keys(key), NAVIGATION_SAME);
    }
}

/* From the first page to the last and back, with each kind of key. */
static void test_walk(void **state)
{
    (void)state;
    static const char *const on[]   = {" ",      "\r",      "\033[B",    "\033OB",
                                       "\033[C", "\033[6~", "\033[1;2C", "\033[6;5~"};
    static const char *const back[] = {"\b",     "\x7F",    "\033[A",    "\033OA",
                                       "\033[D", "\033[5~", "\033[1;2D", "\033[5;2~"};
    for (size_t way = 0; way < ARRAY_SIZE(on); way++) {
        size_t steps = 0;
        while (type_keys(on[way]) == NAVIGATION_CHANGED)
            steps++;
        assert_at(REPORT_CODE, 0);
        size_t pages = 0;
        for (enum report_section i = REPORT_VERDICT; i < REPORT_SECTIONS; i++)
            pages += report_page_count(i, &facts);
        assert_int_equal(steps, pages - 1);
        while (type_keys(back[way]) == NAVIGATION_CHANGED)
            steps--;
        assert_int_equal(steps, 0);
        assert_at(REPORT_VERDICT, 0);
    }
    static const char *const last[]  = {"\033[F", "\033OF", "\033[4~", "\033[8~"};
    static const char *const first[] = {"\033[H", "\033OH", "\033[1~", "\033[7~"};
    for (size_t way = 0; way < ARRAY_SIZE(last); way++) {
        assert_int_equal(type_keys(last[way]), NAVIGATION_CHANGED);
        assert_at(REPORT_CODE, 0);
        assert_int_equal(type_keys(first[way]), NAVIGATION_CHANGED);
        assert_at(REPORT_VERDICT, 0);
    }
}

/* Unknown bytes change nothing, and do not swallow the key after them. */
static void test_wrong_keys(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "x",        "0",       "8",     "9",         "\033[[A",
        "\033[17~", "\033[2~", "\033x", "\033\033x", "\033[999999999~",
        "\xFF",     "\t",      "P"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_int_equal(type_keys(wrong[i]), NAVIGATION_SAME);
        assert_at(REPORT_VERDICT, 0);
        assert_int_equal(type_keys("3"), NAVIGATION_CHANGED);
        assert_int_equal(type_keys("1"), NAVIGATION_CHANGED);
    }
    size_t pages[REPORT_SECTIONS];
    for (enum report_section i = REPORT_VERDICT; i < REPORT_SECTIONS; i++)
        pages[i] = report_page_count(i, &facts);
    for (unsigned int i = 0; i < 100000; i++) {
        unsigned int byte = (i * 2654435761U) >> 24;
        (void)navigation_handle_byte(&navigation, (uint8_t)byte);
        assert_true(navigation.section < REPORT_SECTIONS);
        assert_true(navigation.page < pages[navigation.section]);
        if (i % 64 == 0)
            navigation_compose(&navigation, &sheet);
    }
}

/* A verdict that fills the screen, as with many CPUs, shows the keys in its title. */
static void test_full_verdict(void **state)
{
    (void)state;
    navigation_compose(&navigation, &sheet);
    assert_true(sheet_has("... of 20 CPUs: 20 ok, 0 not"));
    assert_non_null(strstr(sheet.row[0].text, "1 to 7: pages, q: exit"));
    type_keys("q");
    navigation_compose(&navigation, &sheet);
    assert_true(sheet_has("Leave Hymir"));
    type_keys("x");
    facts.count = 2;
    navigation_compose(&navigation, &sheet);
    assert_null(strstr(sheet.row[0].text, "1 to 7"));
    assert_true(sheet_has("1 Verdict 2 Capabilities"));
}

/* Pages that turn by themselves: each of them once, then again, or those of a section. */
static void test_turning(void **state)
{
    size_t turns = 0;

    (void)state;
    for (enum report_section i = REPORT_VERDICT; i < REPORT_SECTIONS; i++) {
        for (size_t page = 0; page < report_page_count(i, &facts); page++, turns++) {
            assert_at(i, page);
            navigation_turn(&navigation, false);
        }
    }
    assert_true(turns > REPORT_SECTIONS);
    assert_at(REPORT_VERDICT, 0);
    navigation_select(&navigation, REPORT_HYPERVISORS);
    size_t pages = report_page_count(REPORT_HYPERVISORS, &facts);
    for (size_t page = 0; page < 2 * pages; page++) {
        assert_at(REPORT_HYPERVISORS, page % pages);
        navigation_turn(&navigation, true);
    }
    navigation_select(&navigation, REPORT_TIMINGS);
    navigation_turn(&navigation, true);
    assert_at(REPORT_TIMINGS, 0);
}

/* A hint replaces the list of keys, wherever that is. */
static void test_hint(void **state)
{
    (void)state;
    navigation.hint = (struct key_hint){"a hint for a row", "a brief hint"};
    navigation_compose(&navigation, &sheet);
    assert_string_equal(sheet.row[0].text + SHEET_COLUMNS - 22, "a brief hint");
    facts.count = 2;
    navigation_compose(&navigation, &sheet);
    assert_string_equal(sheet.row[SHEET_ROWS - 1].text, "a hint for a row");
    for (enum report_section i = REPORT_CAPABILITIES; i < REPORT_CODE; i++) {
        navigation_select(&navigation, i);
        navigation_compose(&navigation, &sheet);
        assert_string_equal(sheet.row[SHEET_ROWS - 1].text, "a hint for a row");
    }
    navigation_select(&navigation, REPORT_CODE);
    navigation_compose(&navigation, &sheet);
    assert_true(sheet_has("a brief hint"));
    assert_false(sheet_has("1 to 7"));
}

static void test_end(void **state)
{
    (void)state;
    type_keys("2");
    assert_int_equal(type_keys("q"), NAVIGATION_CHANGED);
    assert_at(REPORT_CAPABILITIES, 0);
    assert_true(sheet_has("p   power off"));
    assert_true(sheet_has("r   reboot"));
    assert_true(sheet_has("n   boot the firmware's next entry (UEFI)"));
    assert_int_equal(type_keys("2"), NAVIGATION_CHANGED); /* back, and no further */
    assert_at(REPORT_CAPABILITIES, 0);
    assert_true(sheet_has(
        "1 Verdict 2 Capabilities 3 CPUs 4 Hypervisors 5 Timings 6 Log 7 Code  q exit"));
    assert_int_equal(type_keys("p"), NAVIGATION_SAME);
    assert_int_equal(type_keys("qp"), NAVIGATION_POWER_OFF);
    assert_int_equal(type_keys("qr"), NAVIGATION_REBOOT);
    assert_int_equal(type_keys("QP"), NAVIGATION_POWER_OFF);
    assert_int_equal(type_keys("qR"), NAVIGATION_REBOOT);
    /* Escape, alone or as the start of another key, leads back and no further. */
    static const char *const sequences[] = {"\033",    "\033[A", "\033[[A",
                                            "\033[6~", "\033OF", "\033[1;2B"};
    for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
        type_keys("q");
        assert_int_equal(navigation_handle_byte(&navigation, 0x1B), NAVIGATION_CHANGED);
        assert_at(REPORT_CAPABILITIES, 0);
        type_keys(sequences[i] + 1);
        assert_at(REPORT_CAPABILITIES, 0);
        assert_int_equal(type_keys("p"), NAVIGATION_SAME);
        assert_int_equal(type_keys("\033[B\033[A"), NAVIGATION_CHANGED); /* as before */
    }
    assert_int_equal(type_keys("qn"), NAVIGATION_BOOT_NEXT);
    navigation_refuse(&navigation, "firmware has no other entry");
    navigation_compose(&navigation, &sheet);
    assert_true(sheet_has("firmware has no other entry"));
    assert_int_equal(type_keys("n"), NAVIGATION_BOOT_NEXT); /* asks again */
    navigation_refuse(&navigation, "firmware has no other entry");
    assert_int_equal(type_keys("x"), NAVIGATION_CHANGED);
    assert_at(REPORT_CAPABILITIES, 0);
    type_keys("q");
    navigation_compose(&navigation, &sheet);
    assert_false(sheet_has("firmware has no other entry"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_numbers),      TEST(test_walk),    TEST(test_wrong_keys),
        TEST(test_full_verdict), TEST(test_turning), TEST(test_hint),
        TEST(test_end),
    };
    return cmocka_run_group_tests_name("navigation", tests, NULL, NULL);
}
