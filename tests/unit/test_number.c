/* src/lib/string.c, and src/lib/bits.h. */
#include "unit.h"

#include "lib/bits.h"
#include "lib/string.h"

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t number;
    } cases[] = {
        {"0", 0},
        {"7", 7},
        {"0x0", 0},
        {"0x3f8", 0x3F8},
        {"0xABCdef", 0xABCDEF},
        {"18446744073709551615", UINT64_MAX},
        {"0xffffffffffffffff", UINT64_MAX},
        {"007", 7},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t number = 1;
        assert_true(number_parse(cases[i].text, &number));
        assert_int_equal(number, cases[i].number);
    }
}

static void test_garbage(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "0x",
        "x",
        "-1",
        "+1",
        " 1",
        "1 ",
        "12a",
        "0xg",
        "1.5",
        "18446744073709551616",
        "0x10000000000000000",
        "99999999999999999999999",
        "0X10",
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t number = 42;
        assert_false(number_parse(cases[i], &number));
        assert_int_equal(number, 42);
    }
}

static void test_fields(void **state)
{
    (void)state;
    assert_int_equal(BITS_GET(0xFEDCBA9876543210, 63, 0), 0xFEDCBA9876543210);
    assert_int_equal(BITS_GET(0xFEDCBA9876543210, 63, 60), 0xF);
    assert_int_equal(BITS_GET(0xFEDCBA9876543210, 7, 4), 1);
    assert_int_equal(BITS_GET(0x80, 7, 7), 1);
    assert_int_equal(BIT(63), UINT64_C(0x8000000000000000));
}

static void test_alignment(void **state)
{
    (void)state;
    assert_int_equal(align_up(0, 4096), 0);
    assert_int_equal(align_up(1, 4096), 4096);
    assert_int_equal(align_up(4096, 4096), 4096);
    assert_int_equal(align_down(8191, 4096), 4096);
    assert_int_equal(align_up(UINT64_MAX, 4096), UINT64_MAX - 4095);
    assert_int_equal(align_up(UINT64_MAX - 4095, 4096), UINT64_MAX - 4095);
    assert_true(is_aligned(0, 4096));
    assert_false(is_aligned(4097, 4096));
    assert_int_equal(range_end(UINT64_MAX - 1, 5), UINT64_MAX);
    assert_int_equal(range_end(5, 6), 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_alignment),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
