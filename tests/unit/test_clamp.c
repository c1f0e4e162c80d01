/* src/lib/clamp.h: an index that is out of range becomes 0, without a branch. */
#include "unit.h"

#include "lib/bits.h"
#include "lib/clamp.h"

static void assert_clamped(size_t index, size_t count)
{
    assert_int_equal(clamp_index(index, count), index < count ? index : 0);
}

static void test_limits(void **state)
{
    static const size_t counts[] = {
        1, 2, 3, 24, 32, 4096, (size_t)1 << 32, (size_t)1 << 63};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(counts); j++) {
            assert_clamped(counts[j] - 1, counts[i]);
            assert_clamped(counts[j], counts[i]);
            assert_clamped(counts[j] + 1, counts[i]);
        }
        assert_clamped(0, counts[i]);
        assert_clamped(SIZE_MAX, counts[i]);
        assert_clamped(SIZE_MAX >> 1, counts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests_name("clamp", tests, NULL, NULL);
}
