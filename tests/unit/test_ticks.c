/* src/lib/ticks.h. */
#include "unit.h"

#include "lib/ticks.h"
#include "random.h"

/* Half of them at limits: the largest product, the last tick of a second. */
static void test_conversions(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 2000000; i++) {
        uint64_t from  = (random_number() >> random_below(64)) | 1;
        uint64_t to    = UINT64_MAX / from;
        to             = i % 2 == 0 ? to : 1 + random_below(to);
        uint64_t ticks = random_number() >> random_below(64);
        if (i % 4 < 2)
            ticks = ticks / from * from + from - 1;
        unsigned __int128 product = (unsigned __int128)ticks * to;
        if (ticks == TICKS_NEVER || product / from >= UINT64_MAX)
            continue;
        assert_int_equal(ticks_convert(ticks, from, to), (uint64_t)(product / from));
        product += from - 1;
        assert_int_equal(ticks_until(ticks, from, to), (uint64_t)(product / from));
    }
    assert_int_equal(ticks_until(TICKS_NEVER, 1193182, 2399999123), TICKS_NEVER);
}

/* Conversion by a factor is exact in the first years, and never too small. */
static void test_factor(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 200000; i++) {
        uint64_t to     = 1 + random_below(UINT64_C(1) << 32);
        uint64_t from   = to / 2 + 1 + random_below(UINT64_C(1) << random_below(48));
        uint64_t factor = ticks_factor(from, to);
        uint64_t ticks  = random_number() >> (2 + random_below(62));
        uint64_t exact  = (uint64_t)((unsigned __int128)ticks * to / from);
        uint64_t scaled = ticks_scale(ticks, factor);
        assert_true(scaled >= exact && scaled - exact <= 1);
        if (ticks < UINT64_C(1) << 28 && from < UINT64_C(1) << 34)
            assert_int_equal(scaled, exact);
    }
    assert_int_equal(ticks_scale(UINT64_MAX, ticks_factor(1193182, 1193182)), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_conversions),
                                       cmocka_unit_test(test_factor)};
    return cmocka_run_group_tests_name("ticks", tests, NULL, NULL);
}
