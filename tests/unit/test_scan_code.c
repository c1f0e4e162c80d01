/* src/platform/scan_code.c: the bytes for a PC keyboard's keys. */
#include "unit.h"

#include "lib/bits.h"
#include "platform/scan_code.h"
#include "random.h"

static struct scan_code_state state_of_keys;
static char sent[64];

static int keys_start(void **state)
{
    (void)state;
    memset(&state_of_keys, 0, sizeof(state_of_keys));
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, keys_start)

/* Returns the bytes for scan codes, which end with 0. */
static const char *keys_decode(const uint8_t *codes)
{
    size_t length = 0;
    for (; *codes != 0; codes++) {
        char bytes[SCAN_CODE_MAX_BYTES];
        size_t count = scan_code_decode(&state_of_keys, *codes, bytes);
        assert_true(count <= SCAN_CODE_MAX_BYTES && length + count < sizeof(sent));
        memcpy(sent + length, bytes, count);
        length += count;
    }
    sent[length] = '\0';
    return sent;
}

#define KEYS(...) keys_decode((const uint8_t[]){__VA_ARGS__, 0})

static void test_characters(void **state)
{
    (void)state;
    assert_string_equal(KEYS(0x1E, 0x9E, 0x30, 0xB0, 0x02, 0x82), "ab1");
    assert_string_equal(KEYS(0x1C, 0x9C, 0x39, 0x0E, 0x01, 0x0F), "\r \x7F\x1B\t");
    assert_string_equal(KEYS(0x10, 0x11, 0x12, 0x2C, 0x2D, 0x35), "qwezx/");
    assert_string_equal(KEYS(0x27, 0x28, 0x29, 0x2B, 0x1A, 0x1B), ";'`\\[]");
}

static void test_modifiers(void **state)
{
    (void)state;
    assert_string_equal(KEYS(0x2A, 0x1E, 0x02, 0xAA, 0x1E), "A!a");
    assert_string_equal(KEYS(0x36, 0x27, 0xB6, 0x27), ":;");
    /* Caps lock affects letters only, and shift reverses it. */
    assert_string_equal(KEYS(0x3A, 0xBA, 0x1E, 0x02, 0x2A, 0x1E, 0xAA), "A1a");
    assert_string_equal(KEYS(0x3A, 0xBA, 0x1E), "a");
    /* Ctrl-C and Ctrl-] with both Ctrl keys; Alt prepends an ESC. */
    assert_string_equal(KEYS(0x1D, 0x2E, 0x1B, 0x9D, 0x2E), "\x03\x1D"
                                                            "c");
    assert_string_equal(KEYS(0xE0, 0x1D, 0x2E, 0xE0, 0x9D, 0x2E), "\x03"
                                                                  "c");
    assert_string_equal(KEYS(0x38, 0x21, 0xB8, 0x21), "\x1B"
                                                      "ff");
}

static void test_sequences(void **state)
{
    (void)state;
    assert_string_equal(KEYS(0xE0, 0x48, 0xE0, 0xC8, 0xE0, 0x50), "\x1B[A\x1B[B");
    assert_string_equal(KEYS(0xE0, 0x4D, 0xE0, 0x4B), "\x1B[C\x1B[D");
    assert_string_equal(KEYS(0xE0, 0x53, 0xE0, 0x49), "\x1B[3~\x1B[5~");
    assert_string_equal(KEYS(0x3B, 0x44, 0x58), "\x1B[[A\x1B[21~\x1B[24~");
    /* With the shifts that a keyboard adds; Enter and / of the number pad. */
    assert_string_equal(KEYS(0xE0, 0x2A, 0xE0, 0x47, 0xE0, 0xC7, 0xE0, 0xAA, 0x1E),
                        "\x1B[1~a");
    assert_string_equal(KEYS(0xE0, 0x1C, 0xE0, 0x35), "\r/");
    assert_string_equal(KEYS(0xE1, 0x1D, 0x45, 0xE1, 0x9D, 0xC5, 0x2E), "c"); /* Pause */
}

static void test_any_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        char bytes[SCAN_CODE_MAX_BYTES];
        assert_true(scan_code_decode(&state_of_keys, (uint8_t)random_number(), bytes) <=
                    SCAN_CODE_MAX_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_characters), TEST(test_modifiers),
                                       TEST(test_sequences), TEST(test_any_bytes)};
    return cmocka_run_group_tests_name("scan_code", tests, NULL, NULL);
}
