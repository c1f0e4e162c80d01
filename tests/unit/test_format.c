/* src/lib/format.c, compared with the C library's snprintf. */
#include "unit.h"

#include "lib/format.h"

#include <limits.h>

/* The formats are not literals here, which -Wformat warns about. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-zero-length"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-overflow"

#define SAME(...)                                                      \
    do {                                                               \
        char ours[128], theirs[128];                                   \
        size_t length = format_text(ours, sizeof(ours), __VA_ARGS__);  \
        int expected  = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
        assert_string_equal(ours, theirs);                             \
        assert_int_equal(length, expected);                            \
    } while (0)

static void test_integers(void **state)
{
    (void)state;
    static const char *const formats[] = {
        "%d",  "%5d", "%-5d|", "%05d", "%.3d", "%8.3d",  "%-8.3d|", "%i",
        "%u",  "%x",  "%X",    "%#x",  "%08x", "%#010x", "%-#10x|", "%.0d",
        "%2d", "%hd", "%hhd",  "%hhu", "%hx",  "%#X",    "%08.3d",
    };
    static const int numbers[] = {0,   1,     -1,      9,       10,    255,
                                  256, 65535, INT_MAX, INT_MIN, 123456};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        for (size_t j = 0; j < sizeof(numbers) / sizeof(numbers[0]); j++)
            SAME(formats[i], numbers[j]);
    }
}

static void test_long_integers(void **state)
{
    (void)state;
    static const char *const formats[] = {"%ld",    "%lu",     "%lx", "%llx",
                                          "%016lx", "%#lx",    "%zu", "%jd",
                                          "%20ld",  "%-20lu|", "%zx", "%td"};
    static const long numbers[] = {0, 1, -1, LONG_MAX, LONG_MIN, 0x123456789ABCDEF};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        for (size_t j = 0; j < sizeof(numbers) / sizeof(numbers[0]); j++)
            SAME(formats[i], numbers[j]);
    }
}

static void test_text(void **state)
{
    (void)state;
    SAME("plain");
    SAME("");
    SAME("100%%");
    SAME("%s", "text");
    SAME("%10s|", "text");
    SAME("%-10s|", "text");
    SAME("%.2s|", "text");
    SAME("%10.2s|", "text");
    SAME("%.0s|", "text");
    SAME("%c%c", 'a', 'b');
    SAME("%3c|%-3c|", 'a', 'b');
    SAME("%*d|%-*d|%*d|", 6, 42, 6, 42, -6, 42);
    SAME("%.*s|%.*d", 3, "text", 4, 7);
    SAME("%*.*s|", 8, 2, "text");
    SAME("%p", (void *)0x1234);
    SAME("a %s of %u and %#lx.", "mix", 3U, 0xFFUL);
}

/* A string with a precision need not be terminated. */
static void test_unterminated(void **state)
{
    (void)state;
    char text[8];
    static const char bytes[4] = {'A', 'P', 'I', 'C'};
    format_text(text, sizeof(text), "%.4s", bytes);
    assert_string_equal(text, "APIC");
}

static void test_null_string(void **state)
{
    (void)state;
    char text[16];
    const char *null = NULL;
    format_text(text, sizeof(text), "%s", null);
    assert_string_equal(text, "(null)");
}

static void test_truncation(void **state)
{
    (void)state;
    char text[8] = "xxxxxxx";
    assert_int_equal(format_text(text, sizeof(text), "%s", "0123456789"), 10);
    assert_string_equal(text, "0123456");
    assert_int_equal(format_text(text, 1, "abc"), 3);
    assert_string_equal(text, "");
    text[0] = 'x';
    assert_int_equal(format_text(text, 0, "abc"), 3);
    assert_int_equal(text[0], 'x');
}

static void test_copy_shortened(void **state)
{
    (void)state;
    char buffer[6];
    text_copy_shortened(buffer, sizeof(buffer), "abcdefgh", 5);
    assert_string_equal(buffer, "abcde");
    text_copy_shortened(buffer, sizeof(buffer), "abcdefgh", 6);
    assert_string_equal(buffer, "ab...");
    text_copy_shortened(buffer, sizeof(buffer), "", 0);
    assert_string_equal(buffer, "");
}

static void test_unknown_conversion(void **state)
{
    (void)state;
    char text[16];
    format_text(text, sizeof(text), "%q and %", 1);
    assert_string_equal(text, "%q and %");
}

static void test_append(void **state)
{
    (void)state;
    TEXT_DECLARE(text, 8);
    text_append(&text, "%d", 12);
    text_append(&text, "-%s", "34");
    assert_string_equal(text.buffer, "12-34");
    text_append(&text, "%s", "56789");
    assert_string_equal(text.buffer, "12-3456");
    text_append(&text, "more");
    assert_string_equal(text.buffer, "12-3456");
    assert_int_equal(text.length, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),       cmocka_unit_test(test_long_integers),
        cmocka_unit_test(test_text),           cmocka_unit_test(test_unterminated),
        cmocka_unit_test(test_null_string),    cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_copy_shortened), cmocka_unit_test(test_unknown_conversion),
        cmocka_unit_test(test_append),
    };
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
