/* src/lib/string.c, compared with the C library. */
#include "unit.h"

#include <stdbool.h>

void *hymir_memcpy(void *destination, const void *source, size_t size);
void *hymir_memmove(void *destination, const void *source, size_t size);
void *hymir_memset(void *destination, int byte, size_t size);
int hymir_memcmp(const void *left, const void *right, size_t size);
size_t hymir_strlen(const char *text);
int hymir_strcmp(const char *left, const char *right);
bool string_starts_with(const char *text, const char *prefix);

static int sign_of(int number)
{
    return (number > 0) - (number < 0);
}

static void fill_bytes(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
}

static void test_memcpy(void **state)
{
    (void)state;
    uint8_t from[64], to[64] = {0}, expected[64] = {0};
    fill_bytes(from, sizeof(from));
    for (size_t size = 0; size <= 48; size++) {
        assert_ptr_equal(hymir_memcpy(to + 3, from + 5, size), to + 3);
        memcpy(expected + 3, from + 5, size);
        assert_memory_equal(to, expected, sizeof(to));
    }
}

static void test_memmove_overlapping(void **state)
{
    (void)state;
    for (size_t source = 0; source < 16; source++) {
        for (size_t target = 0; target < 16; target++) {
            uint8_t bytes[64], expected[64];
            fill_bytes(bytes, sizeof(bytes));
            fill_bytes(expected, sizeof(expected));
            assert_ptr_equal(hymir_memmove(bytes + target, bytes + source, 30),
                             bytes + target);
            memmove(expected + target, expected + source, 30);
            assert_memory_equal(bytes, expected, sizeof(bytes));
        }
    }
}

static void test_memset(void **state)
{
    (void)state;
    uint8_t bytes[32] = {0}, expected[32] = {0};
    assert_ptr_equal(hymir_memset(bytes + 1, 0x1FF, 7), bytes + 1);
    memset(expected + 1, 0x1FF, 7);
    assert_memory_equal(bytes, expected, sizeof(bytes));
}

static void test_memcmp(void **state)
{
    (void)state;
    static const char *const words[] = {"", "a", "ab", "abc", "abd", "\xff", "b", "abcd"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++) {
            size_t a = strlen(words[i]), b = strlen(words[j]);
            size_t size = a < b ? a : b;
            assert_int_equal(sign_of(hymir_memcmp(words[i], words[j], size)),
                             sign_of(memcmp(words[i], words[j], size)));
            assert_int_equal(sign_of(hymir_strcmp(words[i], words[j])),
                             sign_of(strcmp(words[i], words[j])));
        }
    }
}

static void test_strlen(void **state)
{
    (void)state;
    assert_int_equal(hymir_strlen(""), 0);
    assert_int_equal(hymir_strlen("abc\0def"), 3);
}

static void test_starts_with(void **state)
{
    (void)state;
    assert_true(string_starts_with("console=com1", "console="));
    assert_true(string_starts_with("abc", ""));
    assert_true(string_starts_with("abc", "abc"));
    assert_false(string_starts_with("ab", "abc"));
    assert_false(string_starts_with("xconsole=", "console="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memcpy), cmocka_unit_test(test_memmove_overlapping),
        cmocka_unit_test(test_memset), cmocka_unit_test(test_memcmp),
        cmocka_unit_test(test_strlen), cmocka_unit_test(test_starts_with),
    };
    return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
