/*
 * src/dev/rtc.c: interrupts, compared with the MC146818 data sheet; rates, alarms, late
 * timers.
 */
#include "rtc.h"

#include "random.h"

#define DAY 86400U

/* Data sheet, table 5, for 32768 Hz. */
static const unsigned int rates[16] = {0,   256, 128, 8192, 4096, 2048, 1024, 512,
                                       256, 128, 64,  32,   16,   8,    4,    2};

/* Returns the tick at which that many periods have passed. */
static uint64_t time_of(uint64_t periods, unsigned int rate)
{
    return (uint64_t)(((unsigned __int128)periods * test_clock.hz + rate - 1) / rate);
}

static void test_rates(void **state)
{
    (void)state;
    static const uint64_t frequencies[] = {1000000, 10000000, 2399999123};
    for (unsigned int i = 16; i < 3 * 16; i++) {
        if (rates[i % 16] == 0)
            continue;
        rtc_start(frequencies[i / 16], "2026-07-15 10:20:30", HOURS_24);
        advance_to(random_below(1000 * test_clock.hz));
        cmos_write(0xA, 0x20 | i % 16);
        cmos_read(0xC);
        uint64_t periods =
            (uint64_t)((unsigned __int128)now * rates[i % 16] / test_clock.hz);
        cmos_write(0xB, HOURS_24 | PERIODIC);
        for (unsigned int period = 1; period <= 20000; period++) {
            assert_int_equal(alarm_time, time_of(periods + period, rates[i % 16]));
            advance_to(alarm_time - 1);
            assert_false(output_line.is_high);
            advance_to(alarm_time);
            assert_true(output_line.is_high);
            assert_int_equal(cmos_read(0xC) & (REQUEST | PERIODIC), REQUEST | PERIODIC);
            assert_false(output_line.is_high);
        }
        assert_int_equal(rises, 20000);
    }
}

static void test_no_rate(void **state)
{
    (void)state;
    rtc_start(1000000, "2026-07-15 10:20:30", HOURS_24 | PERIODIC);
    cmos_write(0xA, 0x20);
    cmos_read(0xC);
    rises = 0;
    advance_seconds(100);
    assert_int_equal(rises, 0);
    assert_int_equal(cmos_read(0xC) & PERIODIC, 0);
    cmos_write(0xA, 0x2F); /* the first comes a period later */
    assert_int_equal(cmos_read(0xC), 0);
    advance_seconds(0.5);
    assert_int_equal(rises, 1);
}

/* Flags are set whether they interrupt or not; reading clears them. */
static void test_flags(void **state)
{
    (void)state;
    for (unsigned int enabled = 0; enabled < 0x80; enabled += 0x10) {
        rtc_start(1000000, "2026-07-15 10:20:30", HOURS_24);
        cmos_write(1, 0x32);
        cmos_write(3, 0x20);
        cmos_write(5, 0x10);
        cmos_write(0xA, 0x2E); /* 4 Hz */
        cmos_read(0xC);
        cmos_write(0xB, HOURS_24 | enabled);
        const unsigned int flags[] = {
            0,        PERIODIC,          PERIODIC,
            PERIODIC, PERIODIC | UPDATE, PERIODIC,
            PERIODIC, PERIODIC,          ALARM | PERIODIC | UPDATE};
        for (unsigned int i = 0; i < 9; i++, advance_to(now + 250000)) {
            bool is_high = (flags[i] & enabled) != 0;
            assert_int_equal(output_line.is_high, is_high);
            assert_int_equal(cmos_read(0xC), flags[i] | (is_high ? REQUEST : 0));
            assert_false(output_line.is_high);
            assert_int_equal(cmos_read(0xC), 0);
        }
    }
}

/* A flag that is set when its interrupt is enabled interrupts at once. */
static void test_enabled_late(void **state)
{
    (void)state;
    static const unsigned int flags[] = {PERIODIC, ALARM, UPDATE};
    for (unsigned int i = 0; i < 3; i++) {
        rtc_start(1000000, "2026-07-15 23:59:59", HOURS_24);
        advance_seconds(1.5);
        assert_int_equal(rises, 0);
        cmos_write(0xB, HOURS_24 | flags[i]);
        assert_true(output_line.is_high);
        cmos_write(0xB, HOURS_24); /* only enabled flags drive the output */
        assert_false(output_line.is_high);
        cmos_write(0xB, HOURS_24 | flags[i]);
        assert_int_equal(cmos_read(0xC), REQUEST | PERIODIC | ALARM | UPDATE);
        assert_false(output_line.is_high);
    }
}

/* The output stays high until C is read, without further calls. */
static void test_unread(void **state)
{
    (void)state;
    rtc_start(1000000, "2026-07-15 10:20:30", HOURS_24 | UPDATE);
    advance_seconds(5.5);
    assert_int_equal(rises, 1);
    assert_int_equal(alarm_time, TICKS_NEVER);
    assert_int_equal(cmos_read(0xC) & (REQUEST | UPDATE), REQUEST | UPDATE);
    assert_int_equal(alarm_time, 6000000);
    advance_seconds(1);
    assert_int_equal(rises, 2);
    assert_true(output_line.is_high);
}

static void test_update_ended(void **state)
{
    (void)state;
    rtc_start(2399999123, "2026-07-15 10:20:30", HOURS_24 | UPDATE);
    for (unsigned int second = 1; second <= 1000; second++) {
        advance_to(second * test_clock.hz - 1);
        assert_int_equal(rises, second - 1);
        advance_to(second * test_clock.hz);
        assert_int_equal(rises, second);
        expect_seconds(seconds_of("2026-07-15 10:20:30") +
                       second); /* it is the new one */
        assert_int_equal(cmos_read(0xC) & (REQUEST | UPDATE), REQUEST | UPDATE);
    }
    cmos_write(0xB, HOURS_24 | SET | UPDATE); /* SET ends updates, and clears UIE */
    assert_int_equal(cmos_read(0xB), HOURS_24 | SET);
    advance_seconds(10);
    assert_int_equal(cmos_read(0xC) & (UPDATE | ALARM), 0);
    cmos_write(0xB, HOURS_24);
    advance_seconds(10);
    assert_int_equal(rises, 1000);
    assert_int_equal(cmos_read(0xC) & (REQUEST | UPDATE), UPDATE);
}

static void test_set_keeps_periodic(void **state)
{
    (void)state;
    rtc_start(1000000, "2026-07-15 10:20:30", HOURS_24);
    cmos_write(0xA, 0x2F);
    cmos_write(0xB, HOURS_24 | SET | PERIODIC | ALARM);
    cmos_write(1, ANY);
    cmos_write(3, ANY);
    cmos_write(5, ANY);
    for (unsigned int i = 1; i <= 20; i++) {
        advance_seconds(0.5);
        assert_int_equal(cmos_read(0xC), REQUEST | PERIODIC);
    }
    assert_int_equal(rises, 20);
}

static bool matches(int value, int alarm)
{
    return alarm < 0 || value == alarm;
}

/* Runs a day and a half, second by second. A negative alarm field matches any value. */
static void run_alarm(unsigned int format, const int alarm[3])
{
    static unsigned int any = 0xFF;
    unsigned int expected   = 0;
    any                     = any == 0xC0 ? 0xFF : 0xC0; /* the first of them, the last */
    rtc_start(1000000, "2026-12-31 06:30:00", format);
    cmos_write(1, alarm[2] < 0 ? any : encode_number(alarm[2], format));
    cmos_write(3, alarm[1] < 0 ? any : encode_number(alarm[1], format));
    cmos_write(5, alarm[0] < 0 ? any : encode_hour(alarm[0], format));
    cmos_write(0xB, format | ALARM);
    for (int second = 6 * 3600 + 30 * 60; second < 42 * 3600 + 30 * 60; second++) {
        advance_to(now + test_clock.hz);
        int rest = second + 1;
        expected += matches(rest / 3600 % 24, alarm[0]) &&
                    matches(rest / 60 % 60, alarm[1]) && matches(rest % 60, alarm[2]);
        assert_int_equal(rises, expected);
        if (output_line.is_high)
            assert_int_equal(cmos_read(0xC) & (REQUEST | ALARM), REQUEST | ALARM);
    }
}

static void test_alarms(void **state)
{
    (void)state;
    static const int alarms[][3] = {
        {7, 0, 0},  {0, 0, 0},   {12, 34, 56}, {23, 59, 59}, {-1, 15, 30}, {13, -1, 59},
        {1, 2, -1}, {-1, -1, 7}, {0, -1, -1},  {-1, 59, -1}, {-1, -1, -1}};
    for (unsigned int i = 0; i < 4 * sizeof(alarms) / sizeof(alarms[0]); i++)
        run_alarm(i % 4 * HOURS_24, alarms[i / 4]);
}

/* The largest byte that is not a wildcard is not a valid time. */
static void test_alarm_never(void **state)
{
    (void)state;
    for (unsigned int index = 1; index <= 5; index += 2) {
        rtc_start(1000000, "2026-07-15 10:20:30", HOURS_24);
        cmos_write(1, ANY);
        cmos_write(3, ANY);
        cmos_write(5, ANY);
        cmos_write(index, 0xBF);
        cmos_read(0xC);
        advance_seconds(DAY);
        assert_int_equal(cmos_read(0xC) & ALARM, 0);
    }
}

/* Once a day, whether the alarm interrupts or not. */
static void test_alarm_once_a_day(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        rtc_start(1000000, "2024-02-27 12:34:56", HOURS_24);
        cmos_write(1, 0x56);
        cmos_write(3, 0x34);
        cmos_write(5, 0x12);
        cmos_write(0xB, HOURS_24 | (i == 0 ? ALARM : 0));
        cmos_read(0xC);
        for (unsigned int day = 1; day <= 5; day++) {
            advance_to(day * DAY * test_clock.hz - 1);
            assert_int_equal(cmos_read(0xC) & ALARM, 0);
            advance_to(day * DAY * test_clock.hz);
            assert_int_equal(rises, i == 0 ? day : 0);
            assert_int_equal(cmos_read(0xC) & ALARM, ALARM);
        }
    }
}

/* An alarm applies from its write until the next one. */
static void test_alarm_written_late(void **state)
{
    (void)state;
    rtc_start(1000000, "2026-07-15 10:00:00", HOURS_24);
    cmos_write(3, 0x59);
    cmos_write(5, 0x09);
    advance_seconds(3600);
    cmos_write(3, 0x30); /* half an hour ago */
    cmos_write(5, 0x10);
    assert_int_equal(cmos_read(0xC) & ALARM, 0);
    rtc_start(1000000, "2026-07-15 10:00:00", HOURS_24);
    cmos_write(3, 0x30);
    cmos_write(5, 0x10);
    advance_seconds(3600);
    cmos_write(5, 0x12); /* the alarm has passed, so its flag is set */
    assert_int_equal(cmos_read(0xC) & ALARM, ALARM);
}

/* Writing the time does not clear flags. */
static void test_flags_over_write(void **state)
{
    (void)state;
    rtc_start(1000000, "2026-07-15 23:59:58", HOURS_24);
    cmos_read(0xC);
    advance_seconds(3.5);
    cmos_write(2, 0x15);
    assert_int_equal(cmos_read(0xC), PERIODIC | ALARM | UPDATE);
    cmos_write(0, 0x30); /* nor is the new time an update */
    cmos_write(8, 0x12);
    assert_int_equal(cmos_read(0xC), 0);
}

/* A late call handles all that was due, once, and the next one is on time. */
static void test_late(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3000; i++) {
        unsigned int enabled = 0x10 + i % 7 * 0x10;
        rtc_start(i % 2 == 0 ? 1000000 : 2399999123, "2026-07-15 10:20:00", HOURS_24);
        cmos_write(1, ANY);
        cmos_write(3, 0x21);
        cmos_write(5, 0x10);
        cmos_write(0xA, 0x2D); /* 8 Hz */
        cmos_read(0xC);
        cmos_write(0xB, HOURS_24 | enabled);
        uint64_t late = 61 * test_clock.hz + random_below(test_clock.hz);
        now           = late;
        device_clock_run(&test_clock);
        assert_int_equal(rises, 1);
        assert_int_equal(cmos_read(0xC), REQUEST | PERIODIC | ALARM | UPDATE);
        uint64_t second = (late / test_clock.hz + 1) * test_clock.hz;
        uint64_t period = time_of(late * 8 / test_clock.hz + 1, 8);
        uint64_t next   = (enabled & PERIODIC) != 0 ? period : second;
        assert_int_equal(alarm_time, next);
        advance_to(next - 1);
        assert_int_equal(rises, 1);
        advance_to(next);
        assert_int_equal(rises, 2);
        assert_true((cmos_read(0xC) & enabled) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_no_rate),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_enabled_late),
        cmocka_unit_test(test_unread),
        cmocka_unit_test(test_update_ended),
        cmocka_unit_test(test_set_keeps_periodic),
        cmocka_unit_test(test_alarms),
        cmocka_unit_test(test_alarm_never),
        cmocka_unit_test(test_alarm_once_a_day),
        cmocka_unit_test(test_alarm_written_late),
        cmocka_unit_test(test_flags_over_write),
        cmocka_unit_test(test_late),
    };
    return cmocka_run_group_tests_name("rtc interrupts", tests, NULL, NULL);
}
