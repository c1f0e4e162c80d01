/* src/report/key_hint.c. */
#include "unit.h"

#include "lib/bits.h"
#include "report/key_hint.h"

static void assert_line(void (*append)(const struct key_sources *, struct text *),
                        struct key_sources sources, const char *expected)
{
    TEXT_DECLARE(line, LOG_LINE_SIZE);

    append(&sources, &line);
    assert_string_equal(line.buffer, expected);
}

static void test_keys(void **state)
{
    (void)state;
    assert_line(key_hint_append_keys, (struct key_sources){0}, "");
    assert_line(key_hint_append_keys, (struct key_sources){.keyboard = true},
                "keys 1 to 7 show the report's pages, q exits: on the keyboard");
    assert_line(key_hint_append_keys, (struct key_sources){.serial = true},
                "keys 1 to 7 show the report's pages, q exits: on the serial line");
    assert_line(key_hint_append_keys,
                (struct key_sources){.keyboard = true, .serial = true},
                "keys 1 to 7 show the report's pages, q exits: on the keyboard or the "
                "serial line");
}

static void test_remedy(void **state)
{
    (void)state;
    assert_line(key_hint_append_remedy, (struct key_sources){0}, "");
    assert_line(key_hint_append_remedy,
                (struct key_sources){.is_asked = true, .keyboard = true}, "");
    assert_line(key_hint_append_remedy,
                (struct key_sources){.is_asked = true, .has_sent = true}, "");
    assert_line(key_hint_append_remedy, (struct key_sources){.is_asked = true},
                "no keyboard answers: for a USB keyboard, enable the firmware's USB "
                "legacy support");
    assert_line(key_hint_append_remedy,
                (struct key_sources){.is_asked = true, .serial = true, .is_efi = true},
                "no keyboard answers: type at the serial line or, for a USB keyboard, "
                "boot by BIOS and enable the firmware's USB legacy support");
}

/* In every case the hints are complete: they fit into their rows. */
static void test_hint(void **state)
{
    struct key_hint hint;
    static const unsigned int seconds[] = {0, 1, 15, 3600};

    (void)state;
    for (unsigned int bits = 0; bits < 32 * ARRAY_SIZE(seconds); bits++) {
        struct key_sources sources = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0,
                                      (bits & 8) != 0, (bits & 16) != 0};
        unsigned int time          = seconds[bits / 32];
        bool is_missing = sources.is_asked && !sources.keyboard && !sources.has_sent;
        key_hint_compose(&sources, time, &hint);
        assert_true(strlen(hint.row) < SHEET_COLUMNS);
        assert_true(strlen(hint.brief) < KEY_HINT_BRIEF_SIZE - 1);
        assert_int_equal(hint.row[0] != 0, time > 0 || is_missing);
        assert_int_equal(hint.brief[0] != 0, time > 0 || is_missing);
        assert_int_equal(strstr(hint.row, "no keyboard answers") != NULL, is_missing);
        assert_int_equal(strstr(hint.row, "serial") != NULL,
                         is_missing && sources.serial);
    }
}

static void test_words(void **state)
{
    struct key_hint hint;
    struct key_sources sources = {.is_asked = true};

    (void)state;
    key_hint_compose(&sources, 0, &hint);
    assert_string_equal(hint.row, "no keyboard answers: choose pages in GRUB's menu, or "
                                  "enable USB legacy support");
    assert_string_equal(hint.brief, "no keyboard answers");
    sources.is_efi = true;
    key_hint_compose(&sources, 0, &hint);
    assert_string_equal(hint.row, "no keyboard answers: choose pages in GRUB's menu, or "
                                  "boot by BIOS");
    sources.serial = true;
    key_hint_compose(&sources, 0, &hint);
    assert_string_equal(hint.row, "no keyboard answers: use GRUB's menu or the serial "
                                  "line, or boot by BIOS");
    sources.is_efi = false;
    key_hint_compose(&sources, 0, &hint);
    assert_string_equal(hint.row, "no keyboard answers: use GRUB's menu, the serial "
                                  "line, or USB legacy support");
    key_hint_compose(&sources, 15, &hint);
    assert_string_equal(
        hint.row, "pages turn every 15 s; no keyboard answers, serial keys stop them");
    assert_string_equal(hint.brief, "turns every 15 s");
    sources.keyboard = true;
    key_hint_compose(&sources, 15, &hint);
    assert_string_equal(hint.row, "pages turn every 15 s; a key stops them");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_remedy),
        cmocka_unit_test(test_hint),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests_name("key_hint", tests, NULL, NULL);
}
