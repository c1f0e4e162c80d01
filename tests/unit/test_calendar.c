/* src/lib/calendar.c, compared with the host's calendar. */
#include "unit.h"

#include "lib/calendar.h"
#include "random.h"

#include <time.h>

#define DAY UINT64_C(86400)

/* Converts seconds to a calendar time and back. */
static void assert_converts(uint64_t seconds)
{
    time_t host_seconds = (time_t)seconds;
    struct tm host;
    assert_non_null(gmtime_r(&host_seconds, &host));
    struct calendar_time time = calendar_of(seconds);
    assert_int_equal(time.year, host.tm_year + 1900);
    assert_int_equal(time.month, host.tm_mon + 1);
    assert_int_equal(time.day, host.tm_mday);
    assert_int_equal(time.hour, host.tm_hour);
    assert_int_equal(time.minute, host.tm_min);
    assert_int_equal(time.second, host.tm_sec);
    assert_int_equal(time.weekday, host.tm_wday + 1);
    assert_true(calendar_is_valid(&time));
    time.weekday = (uint32_t)random_number(); /* the day of the week is ignored */
    assert_int_equal(calendar_seconds(&time), seconds);
}

static void test_every_day(void **state)
{
    (void)state;
    for (uint64_t seconds = 0; seconds < CALENDAR_SECONDS_MAX; seconds += DAY) {
        assert_converts(seconds);
        assert_converts(seconds + DAY - 1);
    }
}

static void test_times_of_day(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 500000; i++)
        assert_converts(random_below(CALENDAR_SECONDS_MAX + 1));
    uint64_t leap_day = UINT64_C(951782400); /* 2000-02-29 */
    for (uint64_t seconds = leap_day; seconds < leap_day + DAY; seconds++)
        assert_converts(seconds);
}

static void test_ends(void **state)
{
    (void)state;
    static const struct {
        uint64_t seconds;
        struct calendar_time time;
    } cases[] = {
        {0, {1970, 1, 1, 0, 0, 0, 5}},
        {951868799, {2000, 2, 29, 23, 59, 59, 3}},
        {951868800, {2000, 3, 1, 0, 0, 0, 4}},
        {UINT64_C(2147483648), {2038, 1, 19, 3, 14, 8, 3}},
        {UINT64_C(4107542399), {2100, 2, 28, 23, 59, 59, 1}},
        {UINT64_C(4107542400), {2100, 3, 1, 0, 0, 0, 2}},
        {UINT64_C(4294967296), {2106, 2, 7, 6, 28, 16, 1}},
        {CALENDAR_SECONDS_MAX, {9999, 12, 31, 23, 59, 59, 6}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calendar_time time = calendar_of(cases[i].seconds);
        assert_memory_equal(&time, &cases[i].time, sizeof(time));
        assert_int_equal(calendar_seconds(&time), cases[i].seconds);
    }
}

/* Returns whether the host keeps the time as it is, instead of normalizing it. */
static bool is_valid_to_host(const struct calendar_time *time)
{
    struct tm host = {.tm_year = (int)time->year - 1900,
                      .tm_mon  = (int)time->month - 1,
                      .tm_mday = (int)time->day,
                      .tm_hour = (int)time->hour,
                      .tm_min  = (int)time->minute,
                      .tm_sec  = (int)time->second};
    struct tm same = host;
    time_t seconds = timegm(&same);
    return seconds >= 0 && (uint64_t)seconds <= CALENDAR_SECONDS_MAX &&
           same.tm_mon == host.tm_mon && same.tm_mday == host.tm_mday &&
           same.tm_hour == host.tm_hour && same.tm_min == host.tm_min &&
           same.tm_sec == host.tm_sec;
}

static void test_validity_of_dates(void **state)
{
    (void)state;
    for (uint32_t year = 1960; year <= 10010; year += year == 2110 ? 7800 : 1) {
        for (uint32_t i = 0; i < 15 * 40; i++) {
            struct calendar_time time = {.year = year, .month = i / 40, .day = i % 40};
            assert_int_equal(calendar_is_valid(&time), is_valid_to_host(&time));
        }
    }
}

static void test_validity_of_times(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 26 * 62 * 62; i++) {
        struct calendar_time time = {2024, 2, 29, i / 62 / 62, i / 62 % 62, i % 62, 0};
        assert_int_equal(calendar_is_valid(&time), is_valid_to_host(&time));
    }
}

/* Each field far out of range; the month must not be used as an index. */
static void test_far_out(void **state)
{
    (void)state;
    static const uint32_t values[]   = {100, 255, 16665, 1U << 31, UINT32_MAX};
    const struct calendar_time valid = {2024, 2, 29, 12, 34, 56, 5};
    assert_true(calendar_is_valid(&valid));
    for (size_t i = 0; i < 6 * sizeof(values) / sizeof(values[0]); i++) {
        struct calendar_time time = valid;
        uint32_t *const fields[]  = {&time.year, &time.month,  &time.day,
                                     &time.hour, &time.minute, &time.second};
        *fields[i % 6]            = values[i / 6];
        assert_false(calendar_is_valid(&time));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_times_of_day),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_validity_of_dates),
        cmocka_unit_test(test_validity_of_times),
        cmocka_unit_test(test_far_out),
    };
    return cmocka_run_group_tests_name("calendar", tests, NULL, NULL);
}
