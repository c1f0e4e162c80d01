/* src/platform/wall_clock.c, on a simulated MC146818, compared with timegm. */
#include "unit.h"

#include <stdbool.h>
#include <time.h>

/* Replaces src/cpu/instructions.h: port accesses go to the simulated clock. */
#define HYMIR_CPU_INSTRUCTIONS_H
static uint8_t io_in8(uint16_t port);
static void io_out8(uint16_t port, uint8_t value);
static void cpu_pause(void);

#include "../../src/platform/wall_clock.c"

#define PATIENCE 1000 /* number of polls until the deadline */
#define NEVER    SIZE_MAX

/* Status B: bit 2 binary, bit 1 24 hours. */
enum { BCD_12, BCD_24 = 2, BINARY_12 = 4, BINARY_24 = 6 };

static struct {
    bool is_absent;
    bool is_unsettled;        /* another second at each read */
    size_t reads_in_update;   /* of status A, while an update is in progress */
    size_t reads_before_tick; /* of any byte; NEVER: the time does not advance */
    uint8_t byte[128], next[128];
    uint8_t index;
    bool is_selected;
    size_t asked, deadlines;
} cmos;

static uint8_t io_in8(uint16_t port)
{
    assert_int_equal(port, 0x71);
    assert_true(cmos.is_selected); /* each access selects again */
    cmos.is_selected = false;
    if (cmos.is_absent)
        return 0xFF;
    if (cmos.reads_before_tick != NEVER && cmos.reads_before_tick-- == 0) {
        memcpy(cmos.byte, cmos.next, sizeof(cmos.byte));
        cmos.reads_before_tick = NEVER;
    }
    if (cmos.index == 0x0A && cmos.reads_in_update > 0) {
        cmos.reads_in_update--;
        return cmos.byte[0x0A] | 0x80;
    }
    if (cmos.index < 0x0A && cmos.reads_in_update > 0)
        return 0x55; /* "undefined" */
    if (cmos.index == 0 && cmos.is_unsettled)
        cmos.byte[0] = (cmos.byte[0] + 1) % 10;
    return cmos.byte[cmos.index];
}

static void io_out8(uint16_t port, uint8_t value)
{
    assert_int_equal(port, 0x70); /* the clock is never written */
    assert_true(value < 0x80);    /* bit 7 would mask NMIs */
    cmos.index       = value;
    cmos.is_selected = true;
}

static void cpu_pause(void)
{
}

/* Replaces src/platform/clock.c. */
struct deadline deadline_in(uint32_t timeout_us)
{
    assert_int_equal(timeout_us, 1000000);
    cmos.deadlines++;
    return (struct deadline){0};
}

bool deadline_has_passed(const struct deadline *deadline)
{
    assert_int_equal(deadline->start, 0);
    return cmos.asked++ >= PATIENCE;
}

static uint8_t encode_number(int number, uint8_t format)
{
    return (uint8_t)((format & 4) != 0 ? number : number / 10 * 16 + number % 10);
}

/* Fills the registers for a time. MC146818, "Time, Calendar, and Alarm Data Modes". */
static void fill_bytes(uint8_t *byte, const struct tm *time, uint8_t format)
{
    bool is_pm = (format & 2) == 0 && time->tm_hour >= 12;
    int hour   = (format & 2) != 0 ? time->tm_hour : (time->tm_hour + 11) % 12 + 1;
    int year   = time->tm_year + 1900;

    byte[0]    = encode_number(time->tm_sec, format);
    byte[2]    = encode_number(time->tm_min, format);
    byte[4]    = (uint8_t)(encode_number(hour, format) | (is_pm ? 0x80 : 0));
    byte[7]    = encode_number(time->tm_mday, format);
    byte[8]    = encode_number(time->tm_mon + 1, format);
    byte[9]    = encode_number(year % 100, format);
    byte[0x0A] = 0x26;
    byte[0x0B] = format;
    byte[0x32] = encode_number(year / 100, format);
}

static void set_clock(time_t seconds, uint8_t format)
{
    struct tm time;
    assert_non_null(gmtime_r(&seconds, &time));
    memset(&cmos, 0, sizeof(cmos));
    cmos.reads_before_tick = NEVER;
    fill_bytes(cmos.byte, &time, format);
}

static uint64_t read_clock(void)
{
    uint64_t seconds = 0;
    cmos.asked       = 0;
    assert_int_equal(wall_clock_read(&seconds), STATUS_OK);
    return seconds;
}

/* Asserts that the time is not read and the result is untouched. */
static void refused(enum status expected)
{
    uint64_t seconds = 12345;
    cmos.asked       = 0;
    cmos.deadlines   = 0;
    assert_int_equal(wall_clock_read(&seconds), expected);
    assert_int_equal(seconds, 12345);
    assert_int_equal(cmos.deadlines, 1);
    assert_true(cmos.asked <= PATIENCE + 1);
}

static time_t time_of(int year, int month, int day, int hour, int minute, int second)
{
    struct tm time = {.tm_year = year - 1900,
                      .tm_mon  = month - 1,
                      .tm_mday = day,
                      .tm_hour = hour,
                      .tm_min  = minute,
                      .tm_sec  = second};
    return timegm(&time);
}

/* Each hour in each of the four formats; each day from 1970 to 2199. */
static void test_formats(void **state)
{
    (void)state;
    static const uint8_t formats[] = {BCD_12, BCD_24, BINARY_12, BINARY_24};

    for (size_t i = 0; i < sizeof(formats); i++) {
        for (int hour = 0; hour < 24; hour++) {
            time_t time = time_of(2024, 2, 29, hour, 59, 58);
            set_clock(time, formats[i]);
            assert_int_equal(read_clock(), time);
        }
        time_t last = time_of(2199, 12, 31, 23, 59, 59);
        for (time_t time = 0; time <= last; time += 86400 + 3600 + 61) {
            set_clock(time, formats[i]);
            assert_int_equal(read_clock(), time);
        }
        set_clock(last, formats[i]);
        assert_int_equal(read_clock(), last);
    }
}

/* Midnight is 12 AM, noon is 12 PM: MC146818. */
static void test_twelve(void **state)
{
    (void)state;
    static const struct {
        uint8_t format, byte;
        int hour;
    } rows[] = {{BCD_12, 0x12, 0},     {BCD_12, 0x92, 12},    {BCD_12, 0x01, 1},
                {BCD_12, 0x81, 13},    {BCD_12, 0x91, 23},    {BCD_24, 0x12, 12},
                {BINARY_12, 0x0C, 0},  {BINARY_12, 0x8C, 12}, {BINARY_12, 0x8B, 23},
                {BINARY_24, 0x0C, 12}, {BINARY_24, 0x00, 0},  {BINARY_24, 0x17, 23}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_clock(time_of(2001, 9, 9, 0, 46, 40), rows[i].format);
        cmos.byte[4] = rows[i].byte;
        assert_int_equal(read_clock(), time_of(2001, 9, 9, rows[i].hour, 46, 40));
    }
}

/* An old clock has other data in the century byte. */
static void test_century(void **state)
{
    (void)state;
    static const struct {
        uint8_t byte;
        int century;
    } rows[] = {{0x19, 19}, {0x20, 20}, {0x21, 21}, {0x00, 20},
                {0xFF, 20}, {0x18, 20}, {0x22, 20}, {0x99, 20}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_clock(time_of(2070, 1, 1, 0, 0, 0), BCD_24);
        cmos.byte[0x32] = rows[i].byte;
        assert_int_equal(read_clock(),
                         time_of(rows[i].century * 100 + 70, 1, 1, 0, 0, 0));
    }
}

/* Bytes read during an update are discarded; the clock may tick at any time. */
static void test_update(void **state)
{
    (void)state;
    time_t time = time_of(1999, 12, 31, 23, 59, 59);

    for (size_t reads = 0; reads < PATIENCE; reads += 1 + reads / 3) {
        set_clock(time, BCD_24);
        cmos.reads_in_update = reads;
        assert_int_equal(read_clock(), time);
    }
    size_t after = 0;
    for (size_t reads = 0; reads < 40; reads++) {
        set_clock(time + 1, BCD_12);
        memcpy(cmos.next, cmos.byte, sizeof(cmos.next));
        struct tm before;
        assert_non_null(gmtime_r(&time, &before));
        fill_bytes(cmos.byte, &before, BCD_12);
        cmos.reads_before_tick = reads;
        time_t seconds         = (time_t)read_clock();
        assert_true(seconds == time || seconds == time + 1);
        after += seconds == time + 1;
    }
    assert_in_range(after, 10, 30);
}

static void test_never_settles(void **state)
{
    (void)state;
    set_clock(time_of(2024, 2, 29, 12, 0, 0), BCD_24);
    cmos.reads_in_update = SIZE_MAX;
    refused(STATUS_TIMEOUT);
    set_clock(time_of(2024, 2, 29, 12, 0, 0), BCD_24);
    cmos.is_unsettled = true;
    refused(STATUS_TIMEOUT);
}

/* All ones, including status A: an update that never ends. */
static void test_absent(void **state)
{
    (void)state;
    set_clock(0, BCD_24);
    cmos.is_absent = true;
    refused(STATUS_TIMEOUT);
}

static void test_no_time(void **state)
{
    (void)state;
    static const struct {
        uint8_t index, byte;
    } rows[] = {{0, 0x60}, {0, 0xFF}, {2, 0x60}, {2, 0xFF}, {4, 0x24},
                {4, 0xFF}, {7, 0x00}, {7, 0x30}, {7, 0x31}, {7, 0xFF},
                {8, 0x00}, {8, 0x13}, {8, 0xFF}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        set_clock(time_of(2024, 2, 29, 12, 0, 0), BCD_24);
        cmos.byte[rows[i].index] = rows[i].byte;
        refused(STATUS_OUT_OF_RANGE);
    }
    set_clock(time_of(2023, 2, 28, 12, 0, 0), BCD_24);
    cmos.byte[7] = 0x29; /* not a leap year */
    refused(STATUS_OUT_OF_RANGE);
    set_clock(0, BCD_24);
    cmos.byte[0x32] = 0x19;
    cmos.byte[9]    = 0x69; /* before 1970 */
    refused(STATUS_OUT_OF_RANGE);
    for (int format = 0; format < 8; format += 2) {
        set_clock(0, (uint8_t)format);
        memset(cmos.byte, 0xFF, 10);
        refused(STATUS_OUT_OF_RANGE);
        memset(cmos.byte, 0, 10);
        refused(STATUS_OUT_OF_RANGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),       cmocka_unit_test(test_twelve),
        cmocka_unit_test(test_century),       cmocka_unit_test(test_update),
        cmocka_unit_test(test_never_settles), cmocka_unit_test(test_absent),
        cmocka_unit_test(test_no_time),
    };
    return cmocka_run_group_tests_name("wall clock", tests, NULL, NULL);
}
