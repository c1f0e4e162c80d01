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

#define SIZE_MAX_TESTED 300

/* Every size and alignment, short and long: exactly the bytes asked for are written. */
static void test_memcpy(void **state)
{
    (void)state;
    uint8_t from[SIZE_MAX_TESTED + 16];
    fill_bytes(from, sizeof(from));
    for (size_t size = 0; size <= SIZE_MAX_TESTED; size++) {
        for (size_t offset = 0; offset < 8; offset++) {
            uint8_t to[SIZE_MAX_TESTED + 16] = {0}, expected[sizeof(to)] = {0};
            assert_ptr_equal(hymir_memcpy(to + 1 + offset, from + 8 - offset, size),
                             to + 1 + offset);
            memcpy(expected + 1 + offset, from + 8 - offset, size);
            assert_memory_equal(to, expected, sizeof(to));
        }
    }
}

/* Both directions, at distances below and above a quadword. */
static void test_memmove_overlapping(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 8, 30, 127, 128, 250};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (size_t source = 0; source < 20; source++) {
            for (size_t target = 0; target < 20; target++) {
                uint8_t bytes[280], expected[sizeof(bytes)];
                fill_bytes(bytes, sizeof(bytes));
                fill_bytes(expected, sizeof(expected));
                assert_ptr_equal(hymir_memmove(bytes + target, bytes + source, sizes[i]),
                                 bytes + target);
                memmove(expected + target, expected + source, sizes[i]);
                assert_memory_equal(bytes, expected, sizeof(bytes));
            }
        }
    }
}

static void test_memset(void **state)
{
    (void)state;
    for (size_t size = 0; size <= SIZE_MAX_TESTED; size++) {
        for (size_t offset = 0; offset < 8; offset++) {
            uint8_t bytes[SIZE_MAX_TESTED + 16] = {0}, expected[sizeof(bytes)] = {0};
            assert_ptr_equal(hymir_memset(bytes + 1 + offset, 0x1A5, size),
                             bytes + 1 + offset);
            memset(expected + 1 + offset, 0xA5, size);
            assert_memory_equal(bytes, expected, sizeof(bytes));
        }
    }
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
