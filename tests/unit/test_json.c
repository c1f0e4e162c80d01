/* src/lib/json.c and statistics.c. */
#include "unit.h"

#include "lib/json.h"
#include "lib/statistics.h"

static char written[4096];
static size_t written_length;

static void collect_text(const char *text, size_t length)
{
    assert_in_range(length, 1, JSON_BUFFER_SIZE);
    memcpy(written + written_length, text, length);
    written_length += length;
    written[written_length] = '\0';
}

static void test_shapes(void **state)
{
    (void)state;
    struct json json;

    written_length = 0;
    json_start(&json, collect_text);
    json_open_object(&json, NULL);
    json_number(&json, "a", UINT64_MAX);
    json_open_array(&json, "b");
    json_open_object(&json, NULL);
    json_close_object(&json);
    json_bool(&json, NULL, true);
    json_bool(&json, NULL, false);
    json_null(&json, NULL);
    json_open_array(&json, NULL);
    json_close_array(&json);
    json_close_array(&json);
    json_string(&json, "c", "%d", -1);
    json_close_object(&json);
    json_end(&json);
    assert_string_equal(
        written,
        "{\"a\":18446744073709551615,\"b\":[{},true,false,null,[]],\"c\":\"-1\"}");
}

static void test_escapes(void **state)
{
    (void)state;
    struct json json;

    written_length = 0;
    json_start(&json, collect_text);
    json_open_array(&json, NULL);
    json_string(&json, NULL, "%s", "\"\\/\n\x1F\x7F\xFF~ ");
    json_close_array(&json);
    json_end(&json);
    assert_string_equal(written, "[\"\\\"\\\\/\\u000a\\u001f\\u007f\\u00ff~ \"]");
}

/* Long output is passed on in pieces, and a value that is too long is truncated. */
static void test_long(void **state)
{
    (void)state;
    struct json json;
    char text[1200];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    written_length         = 0;
    json_start(&json, collect_text);
    json_open_array(&json, NULL);
    json_string(&json, NULL, "%s", text);
    json_string(&json, NULL, "%s", text);
    json_close_array(&json);
    json_end(&json);
    assert_int_equal(written_length, 2 * (JSON_STRING_SIZE - 1 + 2) + 3);
    assert_string_equal(written + written_length - 3, "x\"]");
}

static void test_statistics(void **state)
{
    (void)state;
    uint32_t samples[1000];

    for (uint32_t i = 0; i < 1000; i++)
        samples[i] = (i * 7919) % 1000; /* 0 to 999, each once, unsorted */
    struct statistics statistics = statistics_of(samples, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(samples[i], i);
    assert_int_equal(statistics.count, 1000);
    assert_int_equal(statistics.low, 49);
    assert_int_equal(statistics.median, 499);
    assert_int_equal(statistics.high, 949);

    samples[0] = UINT32_MAX;
    statistics = statistics_of(samples, 1);
    assert_int_equal(statistics.low, UINT32_MAX);
    assert_int_equal(statistics.median, UINT32_MAX);
    assert_int_equal(statistics.high, UINT32_MAX);
    statistics = statistics_of(samples, 0);
    assert_int_equal(statistics.count, 0);
    assert_int_equal(statistics.high, 0);
    for (uint32_t count = 2; count < 40; count++) {
        for (uint32_t i = 0; i < count; i++)
            samples[i] = count - i;
        (void)statistics_of(samples, count);
        for (uint32_t i = 1; i < count; i++)
            assert_true(samples[i - 1] <= samples[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_statistics),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
