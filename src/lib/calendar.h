/*
 * Converts between Gregorian dates and seconds since 1970-01-01 00:00:00.
 *
 * Pure. Years 1970 to 9999; no time zones, no leap seconds.
 */
#ifndef HYMIR_LIB_CALENDAR_H
#define HYMIR_LIB_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

struct calendar_time {
    uint32_t year;                 /* 1970 to 9999 */
    uint32_t month, day;           /* from 1 */
    uint32_t hour, minute, second; /* from 0 */
    uint32_t weekday;              /* 1 (Sunday) to 7; ignored by calendar_seconds */
};

#define CALENDAR_SECONDS_MAX UINT64_C(253402300799) /* 9999-12-31 23:59:59 */

/* Converts seconds, at most CALENDAR_SECONDS_MAX, to a date and time. */
struct calendar_time calendar_of(uint64_t seconds);

/* Returns whether the date exists and all fields but weekday are in range. */
bool calendar_is_valid(const struct calendar_time *time);

/* Converts a valid date and time to seconds. */
uint64_t calendar_seconds(const struct calendar_time *time);

#endif
