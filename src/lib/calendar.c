/* See calendar.h. */
#include "lib/calendar.h"

#define FIRST_YEAR       1970U
#define LAST_YEAR        9999U
#define DAYS_BEFORE_1970 719162U /* from 0001-01-01 */
#define SECONDS_PER_DAY  86400U
#define WEEKDAY_OF_FIRST 4U /* 1970-01-01 was a Thursday, counted from 0 */

static bool is_leap(uint32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static uint32_t days_of_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year) ? 1U : 0U);
}

static uint64_t days_before_year(uint32_t year)
{
    uint64_t past = year - 1; /* years, from year 1 */
    return past * 365 + past / 4 - past / 100 + past / 400 - DAYS_BEFORE_1970;
}

struct calendar_time calendar_of(uint64_t seconds)
{
    uint64_t days             = seconds / SECONDS_PER_DAY;
    uint32_t rest             = (uint32_t)(seconds % SECONDS_PER_DAY);
    struct calendar_time time = {
        .year    = FIRST_YEAR + (uint32_t)(days / 366), /* a lower bound */
        .month   = 1,
        .hour    = rest / 3600,
        .minute  = rest / 60 % 60,
        .second  = rest % 60,
        .weekday = (uint32_t)((days + WEEKDAY_OF_FIRST) % 7) + 1,
    };

    while (days_before_year(time.year + 1) <= days)
        time.year++;
    uint32_t day = (uint32_t)(days - days_before_year(time.year));
    while (day >= days_of_month(time.year, time.month))
        day -= days_of_month(time.year, time.month++);
    time.day = day + 1;
    return time;
}

bool calendar_is_valid(const struct calendar_time *time)
{
    return time->year >= FIRST_YEAR && time->year <= LAST_YEAR && time->month >= 1 &&
           time->month <= 12 && time->day >= 1 &&
           time->day <= days_of_month(time->year, time->month) && time->hour < 24 &&
           time->minute < 60 && time->second < 60;
}

uint64_t calendar_seconds(const struct calendar_time *time)
{
    uint64_t days = days_before_year(time->year) + time->day - 1;

    for (uint32_t month = 1; month < time->month; month++)
        days += days_of_month(time->year, month);
    return ((days * 24 + time->hour) * 60 + time->minute) * 60 + time->second;
}
