/* src/dev/apic_timer.c: SDM 3A, "APIC Timer". */
#include "apic_timer.h"
#include "random.h"

/* Divide configuration: bits 3, 1 and 0. */
static const struct {
    uint32_t value, divisor;
} dividers[] = {{0x0, 2},  {0x1, 4},  {0x2, 8},   {0x3, 16},
                {0x8, 32}, {0x9, 64}, {0xA, 128}, {0xB, 1}};

static void test_one_shot(void **state)
{
    for (size_t i = 0; i < 8; i++) {
        start_enabled(state);
        uint64_t tick = RATIO * dividers[i].divisor;
        start_timer(ONE_SHOT, dividers[i].value, 1000);
        assert_int_equal(read_offset(0x3E0), dividers[i].value);
        assert_int_equal(alarm_time, clock_now + 1000 * tick);
        for (uint32_t count = 1000; count > 0; count--) {
            assert_int_equal(read_offset(0x390), count);
            pass(tick - 1);
            assert_int_equal(read_offset(0x390), count);
            assert_false(test_vector(0x200, VECTOR));
            pass(1);
        }
        assert_int_equal(read_offset(0x390), 0);
        assert_true(take_interrupt());
        assert_int_equal(alarm_time, TICKS_NEVER);
        assert_int_equal(read_offset(0x380), 1000);
        pass(5000 * tick);
        assert_int_equal(read_offset(0x390), 0);
        assert_false(take_interrupt());
    }
}

static void test_periodic(void **state)
{
    for (size_t i = 0; i < 8; i++) {
        start_enabled(state);
        uint64_t tick = RATIO * dividers[i].divisor, start = clock_now;
        start_timer(PERIODIC, dividers[i].value, 5000);
        for (unsigned int period = 1; period <= 20; period++) {
            assert_int_equal(alarm_time, start + period * 5000 * tick);
            pass(2000 * tick);
            assert_int_equal(read_offset(0x390), 3000);
            assert_false(take_interrupt());
            pass(3000 * tick);
            assert_true(take_interrupt());
            assert_int_equal(read_offset(0x390), 5000);
        }
    }
}

/* A late CPU gets one interrupt, and the schedule remains. */
static void test_missed_periods(void **state)
{
    (void)state;
    uint64_t start = clock_now, period = 5000 * RATIO;
    start_timer(PERIODIC, 0xB, 5000);
    for (unsigned int i = 0; i < 1000; i++) {
        pass(random_below(7 * period) + 1);
        uint64_t next = start + ((clock_now - start) / period + 1) * period;
        assert_int_equal(alarm_time, next);
        assert_int_equal(read_offset(0x390), (next - clock_now + RATIO - 1) / RATIO);
        if (take_interrupt())
            assert_false(take_interrupt());
    }
}

/* Without running the clock, the count is that of the current period. */
static void test_late_count(void **state)
{
    (void)state;
    start_timer(PERIODIC, 0xB, 5000);
    clock_now += (3 * 5000 + 100) * RATIO;
    assert_int_equal(read_offset(0x390), 4900);
    start_timer(ONE_SHOT, 0xB, 5000);
    clock_now += 5000 * RATIO;
    assert_int_equal(read_offset(0x390), 0);
    clock_now += 100 * RATIO;
    assert_int_equal(read_offset(0x390), 0);
}

/* A guest cannot demand more than 50,000 expiries a second. */
static void test_shortest_period(void **state)
{
    static const uint32_t counts[] = {1, 2, 100, 1999, 2000, 2001};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        start_enabled(state);
        start_timer(PERIODIC, 0xB, counts[i]);
        uint64_t period = (counts[i] < 2000 ? 2000 : counts[i]) * RATIO;
        for (unsigned int k = 0; k < 10; k++) {
            assert_int_equal(alarm_time, clock_now + period);
            assert_in_range(read_offset(0x390), 1, counts[i]);
            pass(period - 1);
            assert_false(take_interrupt());
            pass(1);
            assert_true(take_interrupt());
        }
        start_timer(ONE_SHOT, 0xB, counts[i]); /* exits once for each write */
        assert_int_equal(alarm_time, clock_now + counts[i] * RATIO);
    }
    /* However short the period, and however late the clock. */
    start_timer(PERIODIC, 0xB, 1);
    for (unsigned int k = 0; k < 1000; k++) {
        pass(random_below(100000000));
        assert_true(alarm_time > clock_now);
    }
}

static void test_largest_count(void **state)
{
    (void)state;
    start_timer(ONE_SHOT, 0xA, 0xFFFFFFFF);
    uint64_t expiry = clock_now + UINT64_C(0xFFFFFFFF) * 128 * RATIO;
    assert_int_equal(alarm_time, expiry);
    assert_int_equal(read_offset(0x390), 0xFFFFFFFF);
    pass(expiry - clock_now - 1);
    assert_int_equal(read_offset(0x390), 1);
    pass(1);
    assert_true(take_interrupt());
}

static void test_stop(void **state)
{
    static const uint32_t modes[] = {ONE_SHOT, PERIODIC};
    for (size_t i = 0; i < 2; i++) {
        start_enabled(state);
        start_timer(modes[i], 0xB, 5000);
        write_offset(0x380, 0);
        assert_int_equal(alarm_time, TICKS_NEVER);
        assert_int_equal(read_offset(0x390), 0);
        pass(100000 * RATIO);
        assert_false(take_interrupt());
        start_timer(modes[i], 0xB, 5000); /* again, before it expires */
        pass(4999 * RATIO);
        write_offset(0x380, 5000);
        assert_int_equal(read_offset(0x390), 5000);
        pass(4999 * RATIO);
        assert_false(take_interrupt());
        pass(RATIO);
        assert_true(take_interrupt());
    }
}

/* A masked timer counts, without exits of the guest. */
static void test_mask(void **state)
{
    (void)state;
    start_timer(ONE_SHOT | MASKED, 0xB, 5000);
    assert_int_equal(alarm_time, TICKS_NEVER);
    pass(1000 * RATIO);
    assert_int_equal(read_offset(0x390), 4000);
    pass(4000 * RATIO);
    assert_int_equal(read_offset(0x390), 0);
    write_offset(0x320, VECTOR); /* too late */
    assert_false(take_interrupt());
    assert_int_equal(alarm_time, TICKS_NEVER);

    start_timer(PERIODIC | MASKED, 0xB, 5000);
    uint64_t start = clock_now;
    pass(5000 * RATIO * 7 + 10);
    write_offset(0x320, VECTOR | PERIODIC);
    assert_false(take_interrupt());
    assert_int_equal(alarm_time, start + 5000 * RATIO * 8);
    write_offset(0xF0, 0xFF); /* disabled by software: masked */
    assert_int_equal(alarm_time, TICKS_NEVER);
    assert_int_equal(read_offset(0x390), 5000);
}

/* An expiry that the CPU has not seen yet is not lost when the entry changes. */
static void test_expiry_before_change(void **state)
{
    static const struct {
        uint32_t offset, value;
    } writes[] = {{0x320, VECTOR | MASKED},
                  {0x320, VECTOR | PERIODIC},
                  {0x320, VECTOR | TSC_DEADLINE},
                  {0x380, 0},
                  {0x380, 77},
                  {0x3E0, 0}};
    for (size_t i = 0; i < sizeof(writes) / sizeof(writes[0]); i++) {
        start_enabled(state);
        start_timer(ONE_SHOT, 0xB, 5000);
        clock_now += 5000 * RATIO;
        write_offset(writes[i].offset, writes[i].value);
        assert_true(take_interrupt());
        if (i == 1) /* it has stopped */
            assert_int_equal(alarm_time, TICKS_NEVER);
    }
    write_offset(0x320, VECTOR | TSC_DEADLINE);
    write_msr(DEADLINE, read_tsc(changes) + 1000);
    clock_now += 1000;
    write_msr(DEADLINE, read_tsc(changes) + 1000);
    assert_true(take_interrupt());
    assert_int_equal(alarm_time, clock_now + 1000);
}

/* One-shot and periodic mode: the count continues. */
static void test_mode_change(void **state)
{
    (void)state;
    start_timer(ONE_SHOT, 0xB, 5000);
    pass(1000 * RATIO);
    write_offset(0x320, VECTOR | PERIODIC);
    assert_int_equal(read_offset(0x390), 4000);
    pass(4000 * RATIO);
    assert_true(take_interrupt());
    assert_int_equal(read_offset(0x390), 5000);
    write_offset(0x320, VECTOR | ONE_SHOT);
    pass(5000 * RATIO);
    assert_true(take_interrupt());
    assert_int_equal(read_offset(0x390), 0);
    assert_int_equal(alarm_time, TICKS_NEVER);
    start_timer(RESERVED, 0xB, 5000);
    pass(5000 * RATIO);
    assert_true(take_interrupt());
    assert_int_equal(alarm_time, TICKS_NEVER);
}

static void test_divider_change(void **state)
{
    for (size_t from = 0; from < 8; from++)
        for (size_t to = 0; to < 8; to++) {
            start_enabled(state);
            start_timer(PERIODIC, dividers[from].value, 6000);
            pass(2000 * RATIO * dividers[from].divisor);
            write_offset(0x3E0, dividers[to].value);
            assert_int_equal(read_offset(0x390), 4000);
            uint64_t rest = 4000 * RATIO * dividers[to].divisor;
            assert_int_equal(alarm_time, clock_now + rest);
            pass(rest);
            assert_true(take_interrupt());
            assert_int_equal(alarm_time, clock_now + rest / 4000 * 6000);
        }
}

/* An alarm that comes too early is set again. */
static void test_early_alarm(void **state)
{
    (void)state;
    start_timer(ONE_SHOT, 0xB, 5000);
    uint64_t expiry = alarm_time;
    pass(1000);
    device_clock_run(&test_clock);
    assert_int_equal(alarm_time, expiry);
    apic_timer_update(apic);
    assert_int_equal(alarm_time, expiry);
    assert_false(take_interrupt());
}

/* INIT, and the end of the APIC, stop the timer. */
static void test_reset(void **state)
{
    for (unsigned int i = 0; i < 4; i++) {
        start_enabled(state);
        start_timer(i < 2 ? PERIODIC : TSC_DEADLINE, 0xB, 5000);
        write_msr(DEADLINE, read_tsc(changes) + 1000);
        assert_int_not_equal(alarm_time, TICKS_NEVER);
        if (i % 2 == 0)
            local_apic_init_signal(apic);
        else
            write_msr(BASE_MSR, ADDRESS);
        assert_int_equal(alarm_time, TICKS_NEVER);
        assert_int_equal(read_msr(DEADLINE), 0);
        pass(10000000);
        assert_false(is_output_high[0]);
    }
}

/* Frequencies that are not multiples: no drift in a day, and never early. */
static void test_odd_frequencies(void **state)
{
    static const uint64_t hz[][2] = {{2399987321, 99999989},
                                     {1000000007, 1000000000},
                                     {3579545, 1193182},
                                     {999983, 3000000019}};
    for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++) {
        start_enabled(state);
        test_clock.hz        = hz[i][0];
        apic->setup.timer_hz = hz[i][1];
        uint32_t count       = (uint32_t)(hz[i][1] / 7);
        uint64_t start = ticks_convert(clock_now, hz[i][0], hz[i][1]), expiries = 0;
        start_timer(PERIODIC, 0xB, count);
        while (clock_now < hz[i][0] * 1000) {
            clock_now = alarm_time;
            unsigned __int128 exact =
                (unsigned __int128)(start + ++expiries * count) * hz[i][0];
            assert_int_equal(clock_now, (uint64_t)((exact + hz[i][1] - 1) / hz[i][1]));
            pass(0);
            assert_true(take_interrupt());
        }
        assert_in_range(expiries, 6990, 7010);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, start_enabled)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_shot),
        TEST(test_periodic),
        TEST(test_missed_periods),
        TEST(test_late_count),
        TEST(test_shortest_period),
        TEST(test_largest_count),
        TEST(test_stop),
        TEST(test_mask),
        TEST(test_expiry_before_change),
        TEST(test_mode_change),
        TEST(test_divider_change),
        TEST(test_early_alarm),
        TEST(test_reset),
        TEST(test_odd_frequencies),
    };
    return cmocka_run_group_tests_name("local APIC timer", tests, NULL, NULL);
}
