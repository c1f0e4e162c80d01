/*
 * Dates of the Gregorian calendar, and seconds since 1970-01-01 00:00:00.
 *
 * Pure. From year 1970 to 9999; no time zones, no leap seconds.
 */
#ifndef HYMIR_LIB_CALENDAR_H
#define HYMIR_LIB_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

struct calendar_time {
    uint32_t year;                 /* 1970 to 9999 */
    uint32_t month, day;           /* from 1 */
    uint32_t hour, minute, second; /* from 0 */
    uint32_t weekday;              /* 1: Sunday, to 7; calendar_seconds ignores it */
};

#define CALENDAR_SECONDS_MAX UINT64_C(253402300799) /* 9999-12-31 23:59:59 */

/* Takes seconds, at most CALENDAR_SECONDS_MAX, apart. */
struct calendar_time calendar_of(uint64_t seconds);

/* True if the fields are within their ranges: the 30th of February is not. */
bool calendar_is_valid(const struct calendar_time *time);

/* The seconds of a valid time. */
uint64_t calendar_seconds(const struct calendar_time *time);

#endif
