/* src/dev/pit.c: the interrupts of counter 0, taken at once, late, and after a mask. */
#include "pit.h"

/* Returns the tick at which that many clocks of the PIT have passed. */
static uint64_t time_of(uint64_t clock)
{
    return (uint64_t)(((unsigned __int128)clock * test_clock.hz + PIT_HZ - 1) / PIT_HZ);
}

/* Starts counter 0; returns the clock that loads it. */
static uint64_t load_counter_0(unsigned int i, unsigned int mode, uint32_t value)
{
    static const uint64_t frequencies[] = {PIT_HZ, 2399999123, 10000000, 600000};
    pit_start(frequencies[i % 4]);
    now = random_below(UINT64_C(1) << 40);
    port_out(0x43, 0x30 | mode << 1);
    out_both(0x40, value);
    assert_int_equal(rises, 0);
    return (uint64_t)((unsigned __int128)now * PIT_HZ / test_clock.hz) + 1;
}

static void take_interrupt(void)
{
    output_line.event(output_line.device, INTERRUPT_TAKEN);
}

/* The guest takes each interrupt at once. */
static void advance_to(uint64_t time)
{
    while (alarm_time <= time) {
        now = alarm_time > now ? alarm_time : now;
        run_clock();
        take_interrupt();
    }
    now = time;
}

static void test_counter_0(void **state)
{
    static const unsigned int modes[] = {0, 2, 3, 4};
    static const uint32_t counts[]    = {5, 1193, 11932, 0x10000};
    (void)state;
    for (unsigned int i = 0; i < 4 * 4 * 4; i++) {
        unsigned int mode = modes[i / 16], periods = mode % 4 == 0 ? 1 : 1000000;
        uint64_t clock = load_counter_0(i, mode, counts[i / 4 % 4]);
        assert_int_equal(output_line.is_high, mode != 0);
        for (unsigned int period = 1; period <= periods; period++) {
            clock += counts[i / 4 % 4];
            assert_int_equal(alarm_time, time_of(clock + mode / 4));
            advance_to(alarm_time);
            assert_int_equal(rises, period);
        }
        assert_int_equal(alarm_time == TICKS_NEVER, periods == 1);
    }
}

static void test_late_alarm(void **state)
{
    (void)state;
    for (unsigned int late = 0; late < 5000; late += 7) {
        uint64_t clock = load_counter_0(late, 2 + late % 2, 1000) + 2000;
        now            = time_of(clock + late);
        for (unsigned int due = 2 + late / 1000; due > 0; due--) {
            assert_true(alarm_time <= now);
            run_clock();
            assert_int_equal(alarm_time, TICKS_NEVER); /* until it is taken */
            run_clock();
            assert_int_equal(rises, 3 + late / 1000 - due);
            take_interrupt();
        }
        assert_int_equal(alarm_time, time_of(clock + 1000 + late / 1000 * 1000));
        take_interrupt(); /* of another device, or spurious */
        advance_to(alarm_time);
        assert_int_equal(rises, 3 + late / 1000);
    }
}

/* Counts the interrupts that a guest takes now. */
static unsigned int take_all(void)
{
    unsigned int before = (unsigned int)rises;
    advance_to(now);
    return (unsigned int)rises - before;
}

/* A guest that is far behind gets the newest rises, at their time. */
static void test_far_behind(void **state)
{
    (void)state;
    for (unsigned int periods = 90; periods < 110; periods++) {
        uint64_t clock = load_counter_0(periods, 2, 1000);
        now            = time_of(clock + 1000 * periods + 1);
        run_clock();
        take_interrupt();
        unsigned int behind = periods - 1;
        assert_int_equal(take_all(), behind < PIT_BEHIND_MAX ? behind : PIT_BEHIND_MAX);
        assert_int_equal(alarm_time, time_of(clock + 1000 * (periods + 1)));
    }
}

/* While the input is masked, the 8259A keeps one request. */
static void test_masked(void **state)
{
    (void)state;
    for (unsigned int masked = 0; masked < 5000; masked += 70) {
        uint64_t clock = load_counter_0(masked, 2 + masked % 2, 1000);
        advance_to(time_of(clock + 1500)); /* one has been taken */
        output_line.event(output_line.device, INTERRUPT_MASKED);
        now = time_of(clock + 1500 + masked);
        run_clock();
        output_line.event(output_line.device, INTERRUPT_UNMASKED);
        if (masked >= 500)
            take_interrupt();
        unsigned int left = take_all();
        assert_true(left <= 1); /* it may have come since */
        advance_to(time_of(clock + 9500));
        unsigned int later = 9 - (1500 + masked) / 1000;
        assert_in_range(rises, 1 + (masked >= 500) + later, 2 + (masked >= 500) + later);
    }
}

/* A short mask, as of a handler, loses nothing; a one-shot is requested once. */
static void test_short_masks(void **state)
{
    (void)state;
    uint64_t clock = load_counter_0(2, 2, 1000);
    for (unsigned int i = 1; i < 2000; i++) {
        now = time_of(clock + 50 * i);
        output_line.event(output_line.device, INTERRUPT_MASKED);
        now += 3;
        run_clock();
        output_line.event(output_line.device, INTERRUPT_UNMASKED);
        take_interrupt();
    }
    assert_in_range(rises, 99, 100);
    clock = load_counter_0(2, 0, 1000);
    now   = time_of(clock + 20000);
    assert_int_equal(take_all(), 1);
    assert_int_equal(alarm_time, TICKS_NEVER);
}

/* A pulse that is due when the guest writes a new count is not lost. */
static void test_write_after_alarm(void **state)
{
    (void)state;
    uint64_t clock = load_counter_0(2, 2, 1000);
    now            = time_of(clock + 1010);
    out_both(0x40, 500);
    run_clock();
    assert_int_equal(rises, 1);
    advance_to(time_of(clock + 2500));
    assert_int_equal(rises, 3);
}

/* In mode 0 the low byte of the next count ends the count. */
static void test_low_byte_stops(void **state)
{
    (void)state;
    load_counter_0(0, 0, 1000);
    now += 500;
    port_out(0x40, 0x10);
    assert_int_equal(alarm_time, TICKS_NEVER);
    now += 1000;
    run_clock();
    port_out(0x40, 0x27);
    assert_int_equal(rises, 0);
    assert_int_equal(alarm_time, now + 1 + 0x2710);
    /* At its end the count has requested an interrupt, even if the alarm is late. */
    now = alarm_time;
    port_out(0x40, 0x10);
    assert_int_equal(rises, 1);
    assert_false(output_line.is_high);
    assert_int_equal(alarm_time, TICKS_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counter_0),      cmocka_unit_test(test_far_behind),
        cmocka_unit_test(test_masked),         cmocka_unit_test(test_short_masks),
        cmocka_unit_test(test_late_alarm),     cmocka_unit_test(test_write_after_alarm),
        cmocka_unit_test(test_low_byte_stops),
    };
    return cmocka_run_group_tests_name("pit interrupts", tests, NULL, NULL);
}
