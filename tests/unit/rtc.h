/*
 * An emulated clock of src/dev/rtc.h, driven by a time that the test advances.
 */
#ifndef HYMIR_TESTS_RTC_H
#define HYMIR_TESTS_RTC_H

#include "device_clock.h"
#include "ports.h"

#include "dev/rtc.h"

#include <time.h>

/* Bits of registers B and C. */
#define SET       0x80U
#define REQUEST   0x80U
#define PERIODIC  0x40U
#define ALARM     0x20U
#define UPDATE    0x10U
#define BINARY    0x04U
#define HOURS_24  0x02U
#define UPDATING  0x80U /* of register A */
#define ANY       0xFFU /* alarm */
#define MEGABYTES UINT64_C(0x100000)

static struct rtc rtc;

static inline void cmos_write(unsigned int index, unsigned int value)
{
    port_out(0x70, index);
    port_out(0x71, value);
}

static inline unsigned int cmos_read(unsigned int index)
{
    port_out(0x70, index);
    return port_read(0x71);
}

static inline uint64_t seconds_of(const char *text)
{
    struct tm tm = {0};
    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon,
                            &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec),
                     6);
    tm.tm_year -= 1900;
    tm.tm_mon--;
    return (uint64_t)timegm(&tm);
}

static inline void rtc_start(uint64_t hz, const char *text, unsigned int format)
{
    clock_start(hz);
    start_ports(false);
    rtc_init(&rtc, &test_ports, &test_clock, &output_line);
    rtc_set_time(&rtc, seconds_of(text));
    rtc_set_memory(&rtc, 64 * MEGABYTES);
    cmos_write(0xB, format);
}

/* Advances to a time, running the timers that expire until then. */
static inline void advance_to(uint64_t time)
{
    while (alarm_time <= time) {
        now = alarm_time;
        run_clock();
    }
    now = time;
}

static inline void advance_seconds(double seconds)
{
    advance_to(now + (uint64_t)(seconds * (double)test_clock.hz));
}

static inline unsigned int encode_number(int value, unsigned int format)
{
    return (unsigned int)((format & BINARY) != 0 ? value : value / 10 * 16 + value % 10);
}

/* Encodes an hour; 12 AM is the hour after midnight, 12 PM the one after noon. */
static inline unsigned int encode_hour(int hour, unsigned int format)
{
    if ((format & HOURS_24) != 0)
        return encode_number(hour, format);
    return encode_number((hour + 11) % 12 + 1, format) | (hour >= 12 ? 0x80 : 0);
}

static const unsigned int time_bytes[] = {0, 2, 4, 6, 7, 8, 9, 0x32};

/* Encodes a time in the bytes of time_bytes. */
static inline void encode_time(uint64_t seconds, unsigned int format,
                               unsigned int bytes[8])
{
    time_t host = (time_t)seconds;
    struct tm tm;
    assert_non_null(gmtime_r(&host, &tm));
    const int values[] = {tm.tm_sec,
                          tm.tm_min,
                          0,
                          tm.tm_wday + 1,
                          tm.tm_mday,
                          tm.tm_mon + 1,
                          tm.tm_year % 100,
                          tm.tm_year / 100 + 19};
    for (unsigned int i = 0; i < 8; i++)
        bytes[i] = encode_number(values[i], format);
    bytes[2] = encode_hour(tm.tm_hour, format);
}

static inline void expect_seconds(uint64_t seconds)
{
    unsigned int bytes[8];
    encode_time(seconds, cmos_read(0xB), bytes);
    for (unsigned int i = 0; i < 8; i++)
        assert_int_equal(cmos_read(time_bytes[i]), bytes[i]);
}

static inline void expect_time(const char *text)
{
    expect_seconds(seconds_of(text));
}

static inline void write_time(const char *text)
{
    unsigned int bytes[8];
    encode_time(seconds_of(text), cmos_read(0xB), bytes);
    for (unsigned int i = 0; i < 8; i++)
        cmos_write(time_bytes[i], bytes[i]);
}

/* Writes the time while SET holds the clock. */
static inline void set_time(const char *text)
{
    unsigned int format = cmos_read(0xB);
    cmos_write(0xB, format | SET);
    write_time(text);
    cmos_write(0xB, format);
}

#endif
