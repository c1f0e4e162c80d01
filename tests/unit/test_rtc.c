/*
 * src/dev/rtc.c: time and memory, compared with the MC146818 data sheet and the host's
 * calendar.
 */
#include "rtc.h"

#include "random.h"

/* Ten minutes across the end of a day, month or year, or noon, in all formats. */
static void test_time_goes_on(void **state)
{
    (void)state;
    static const char *const starts[] = {
        "2023-02-28 23:55:00", "2024-02-28 23:55:00", "2024-02-29 23:55:00",
        "2024-04-30 23:55:00", "1999-12-31 23:55:00", "2000-02-29 23:55:00",
        "2100-02-28 23:55:00", "2026-07-01 11:55:00", "2026-07-01 09:55:00"};
    for (unsigned int i = 0; i < 4 * 9; i++) {
        rtc_start(1000000 + i, starts[i / 4], i % 4 * HOURS_24);
        for (unsigned int second = 0; second < 600; second++, advance_to(now + 1)) {
            expect_seconds(seconds_of(starts[i / 4]) + second);
            now += test_clock.hz - 1;
            expect_seconds(seconds_of(starts[i / 4]) + second);
        }
    }
}

/* The hours as in the data sheet, and back. */
static void test_hours(void **state)
{
    (void)state;
    static const struct {
        unsigned int format, hour, byte;
    } cases[] = {{0, 0, 0x12},  {0, 1, 0x01},  {0, 9, 0x09},  {0, 10, 0x10},
                 {0, 11, 0x11}, {0, 12, 0x92}, {0, 13, 0x81}, {0, 22, 0x90},
                 {0, 23, 0x91}, {2, 0, 0x00},  {2, 12, 0x12}, {2, 23, 0x23},
                 {4, 0, 0x0C},  {4, 1, 0x01},  {4, 11, 0x0B}, {4, 12, 0x8C},
                 {4, 13, 0x81}, {4, 23, 0x8B}, {6, 0, 0x00},  {6, 23, 0x17}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[32];
        snprintf(text, sizeof(text), "2026-07-31 %02u:34:56", cases[i].hour);
        rtc_start(1000000, text, cases[i].format);
        assert_int_equal(cmos_read(4), cases[i].byte);
        rtc_start(1000000, "2026-07-31 05:34:56", cases[i].format);
        cmos_write(4, cases[i].byte);
        cmos_write(0xB, BINARY | HOURS_24);
        assert_int_equal(cmos_read(4), cases[i].hour);
        assert_int_equal(cmos_read(7), 31);
    }
}

/* While SET holds the bytes, the next second still comes on time. */
static void test_set(void **state)
{
    (void)state;
    for (unsigned int format = 0; format < 8; format += HOURS_24) {
        rtc_start(1000000, "2026-07-31 23:59:58", format);
        advance_seconds(0.25);
        cmos_write(0xB, format | SET);
        advance_seconds(10);
        expect_time("2026-07-31 23:59:58");
        write_time("1999-12-31 23:59:59");
        advance_seconds(10);
        expect_time("1999-12-31 23:59:59");
        cmos_write(0xB, format);
        expect_time("1999-12-31 23:59:59");
        advance_seconds(0.74);
        expect_time("1999-12-31 23:59:59");
        advance_seconds(0.02);
        expect_time("2000-01-01 00:00:00");
        cmos_write(0xB, format | SET);
        advance_seconds(30);
        cmos_write(0xB, format);
        expect_time("2000-01-01 00:00:00");
    }
}

/* Data sheet, table 4: the first update comes half a second after a divider reset. */
static void test_divider_reset(void **state)
{
    (void)state;
    rtc_start(1000000, "2026-07-31 23:59:57", HOURS_24);
    advance_seconds(1.9);
    cmos_write(0xB, HOURS_24 | SET);
    cmos_write(0xA, 0x76);
    write_time("2026-07-31 11:59:59");
    advance_seconds(3.3);
    cmos_write(0xB, HOURS_24);
    advance_seconds(3.3); /* it stops during the reset */
    expect_time("2026-07-31 11:59:59");
    assert_int_equal(cmos_read(0xA), 0x76);
    cmos_read(0xC);
    advance_seconds(2);
    assert_int_equal(cmos_read(0xC), 0);
    cmos_write(0xA, 0x26);
    cmos_write(0xB, HOURS_24 | UPDATE);
    advance_seconds(0.49);
    expect_time("2026-07-31 11:59:59");
    assert_int_equal(rises, 0);
    advance_seconds(0.02);
    expect_time("2026-07-31 12:00:00");
    assert_int_equal(rises, 1);
}

static void test_writes_without_set(void **state)
{
    (void)state;
    for (unsigned int format = 0; format < 8; format += HOURS_24) {
        rtc_start(1000000, "2026-07-15 10:20:30", format);
        advance_seconds(0.5);
        cmos_write(0, encode_number(59, format));
        expect_time("2026-07-15 10:20:59");
        cmos_write(2, encode_number(41, format));
        cmos_write(4, encode_hour(23, format));
        expect_time("2026-07-15 23:41:59");
        cmos_write(7, encode_number(28, format));
        cmos_write(8, encode_number(12, format));
        cmos_write(9, encode_number(99, format));
        expect_time("2099-12-28 23:41:59");
        cmos_write(0x32, encode_number(19, format));
        expect_time("1999-12-28 23:41:59");
        advance_seconds(0.6);
        expect_time("1999-12-28 23:42:00");
        cmos_write(6, 3); /* the day of the week is that of the date */
        expect_time("1999-12-28 23:42:00");
        cmos_write(0x32, encode_number(20, format));
        cmos_write(9, encode_number(24, format));
        cmos_write(8, encode_number(2, format));
        cmos_write(7, encode_number(29, format));
        cmos_write(4, encode_hour(0, format));
        expect_time("2024-02-29 00:42:00");
    }
}

/* An invalid time is ignored. */
static void test_invalid(void **state)
{
    (void)state;
    static const unsigned int cases[][2] = {{0, 0x60}, {0, 0x99}, {2, 0x60},   {4, 0x24},
                                            {4, 0x99}, {7, 0x00}, {7, 0x29},   {7, 0x32},
                                            {8, 0x00}, {8, 0x13}, {0x32, 0x18}};
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        rtc_start(1000000, "2023-02-28 23:59:59", HOURS_24);
        cmos_write(0xB, HOURS_24 | (i % 2 == 0 ? SET : 0));
        cmos_write(cases[i / 2][0], cases[i / 2][1]);
        cmos_write(0xB, HOURS_24);
        expect_time("2023-02-28 23:59:59");
        advance_seconds(1);
        expect_time("2023-03-01 00:00:00");
        set_time("2024-02-29 00:00:00");
        expect_time("2024-02-29 00:00:00");
    }
}

static void test_update_in_progress(void **state)
{
    (void)state;
    static const uint64_t frequencies[] = {1000000, 10000000, 2400000000};
    for (unsigned int i = 0; i < 3; i++) {
        rtc_start(frequencies[i], "2026-07-15 10:20:30", HOURS_24);
        uint64_t microsecond = frequencies[i] / 1000000;
        for (unsigned int second = 1; second < 100; second++) {
            uint64_t update = second * test_clock.hz;
            assert_int_equal(cmos_read(0xA), 0x26);
            now = update - 244 * microsecond - 1;
            assert_int_equal(cmos_read(0xA), 0x26);
            now = update - 244 * microsecond;
            assert_int_equal(cmos_read(0xA), UPDATING | 0x26);
            now = update - 1;
            assert_int_equal(cmos_read(0xA), UPDATING | 0x26);
            cmos_write(0xB, HOURS_24 | SET);
            assert_int_equal(cmos_read(0xA), 0x26);
            cmos_write(0xB, HOURS_24);
            cmos_write(0xA, UPDATING | 0x2F); /* that bit is read-only */
            assert_int_equal(cmos_read(0xA), UPDATING | 0x2F);
            now = update;
            assert_int_equal(cmos_read(0xA), 0x2F);
            cmos_write(0xA, 0x26);
        }
    }
}

/* Memory sizes in KiB, the last one in 64 KiB; a size that does not fit is all ones. */
static void test_memory_size(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        unsigned int extended, high;
    } cases[] = {{4, 3072, 0},          {16, 15360, 0},        {17, 16384, 16},
                 {64, 64512, 768},      {65, 0xFFFF, 784},     {128, 0xFFFF, 1792},
                 {3072, 0xFFFF, 48896}, {8192, 0xFFFF, 0xFFFF}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned int sum = 0;
        device_clock_init(&test_clock);
        start_ports(false);
        rtc_init(&rtc, &test_ports, &test_clock, &output_line);
        rtc_set_memory(&rtc, cases[i].size * MEGABYTES);
        assert_int_equal(cmos_read(0x15) | cmos_read(0x16) << 8, 639);
        assert_int_equal(cmos_read(0x17) | cmos_read(0x18) << 8, cases[i].extended);
        assert_int_equal(cmos_read(0x30) | cmos_read(0x31) << 8, cases[i].extended);
        assert_int_equal(cmos_read(0x34) | cmos_read(0x35) << 8, cases[i].high);
        for (unsigned int index = 0x10; index <= 0x2D; index++)
            sum += cmos_read(index);
        assert_int_equal(cmos_read(0x2E) << 8 | cmos_read(0x2F), sum);
    }
}

static void test_memory_bytes(void **state)
{
    (void)state;
    rtc_start(1000000, "2026-07-15 10:20:30", HOURS_24);
    for (unsigned int index = 0x0E; index < 0x80; index++) {
        if (index != 0x32)
            cmos_write(index | (index % 2 == 0 ? 0x80 : 0),
                       index ^ 0xA5); /* bit 7 masks NMIs */
    }
    for (unsigned int index = 0x0E; index < 0x80; index++) {
        if (index != 0x32)
            assert_int_equal(cmos_read(index | (index % 3 == 0 ? 0x80 : 0)),
                             index ^ 0xA5);
    }
    cmos_write(0xD, 0);
    assert_int_equal(cmos_read(0xD), 0x80); /* the battery is good */
    assert_int_equal(port_read(0x70), 0xFF);
    expect_time("2026-07-15 10:20:30");
}

/* After random writes the clock has a valid time and runs. */
static void test_random_writes(void **state)
{
    (void)state;
    rtc_start(2400000000, "2026-07-15 10:20:30", HOURS_24);
    for (unsigned int i = 0; i < 300000; i++) {
        unsigned int index = (unsigned int)random_below(16);
        if (index < 14)
            cmos_write(index < 13 ? index : 0x32, (unsigned int)random_number() & 0xFF);
        advance_to(now + random_below(i % 64 == 0 ? 4 * test_clock.hz : 1000));
        if (i % 16 != 0)
            continue;
        cmos_write(0xA, 0x26);
        cmos_write(0xB, HOURS_24 | BINARY);
        struct tm tm     = {.tm_year = (int)(cmos_read(0x32) * 100 + cmos_read(9)) - 1900,
                            .tm_mon  = (int)cmos_read(8) - 1,
                            .tm_mday = (int)cmos_read(7),
                            .tm_hour = (int)cmos_read(4),
                            .tm_min  = (int)cmos_read(2),
                            .tm_sec  = (int)cmos_read(0)};
        uint64_t seconds = (uint64_t)timegm(&tm);
        expect_seconds(seconds);
        advance_to(now + test_clock.hz);
        expect_seconds(seconds + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_goes_on),
        cmocka_unit_test(test_hours),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_divider_reset),
        cmocka_unit_test(test_writes_without_set),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_update_in_progress),
        cmocka_unit_test(test_memory_size),
        cmocka_unit_test(test_memory_bytes),
        cmocka_unit_test(test_random_writes),
    };
    return cmocka_run_group_tests_name("rtc", tests, NULL, NULL);
}
