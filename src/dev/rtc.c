/* See rtc.h. */
#include "dev/rtc.h"

#include "lib/calendar.h"
#include "x86/cmos_clock.h"
#include "x86/pc_bios.h"

#define A_RATE(a)     ((a)&0x0FU)
#define A_RUNS(a)     (((a)&0x70U) == 0x20U) /* with the 32768 Hz that a PC has */
#define A_IS_RESET(a) (((a)&0x60U) == 0x60U) /* of the divider */
#define A_AFTER_RESET 0x26U                  /* 1024 Hz */
#define B_SET         0x80U
#define B_PERIODIC    0x40U
#define B_ALARM       0x20U
#define B_UPDATE      0x10U
#define B_AFTER_RESET CMOS_TIME_24_HOURS
#define C_REQUEST     0x80U
#define C_FLAGS       (B_PERIODIC | B_ALARM | B_UPDATE) /* as in B */
#define D_VALID       0x80U
#define ALARM_ANY     0xC0U /* and above: any value matches */

#define CRYSTAL_HZ       32768U
#define UPDATE_US        244U
#define US_A_SECOND      1000000U
#define SECONDS_A_DAY    86400U
#define YEARS_OF_CENTURY 100U

static uint64_t clock_hz(const struct rtc *rtc)
{
    return rtc->timer.clock->hz;
}

/* Returns the divider, in ticks. Data sheet, "DV0": first update 0.5 s after a reset. */
static uint64_t divider_now(const struct rtc *rtc)
{
    return A_IS_RESET(rtc->bytes[RTC_A])
               ? clock_hz(rtc) / 2
               : device_clock_now(rtc->timer.clock) - rtc->origin;
}

static bool is_setting(const struct rtc *rtc)
{
    return (rtc->bytes[RTC_B] & B_SET) != 0;
}

/* Returns the time, in seconds since 1970. */
static uint64_t time_of(const struct rtc *rtc)
{
    uint64_t seconds = rtc->offset + divider_now(rtc) / clock_hz(rtc);
    return seconds < CALENDAR_SECONDS_MAX ? seconds : CALENDAR_SECONDS_MAX;
}

/* Returns the rate of the periodic interrupt, 0 if off. Data sheet, table 5. */
static uint32_t rate_hz(const struct rtc *rtc)
{
    uint32_t rate = A_RATE(rtc->bytes[RTC_A]);

    if (rate == 0 || !A_RUNS(rtc->bytes[RTC_A]))
        return 0;
    return rate <= 2 ? 512U >> rate : CRYSTAL_HZ >> (rate - 1);
}

/* Stores a time in the bytes of the time. */
static void store_time(struct rtc *rtc, uint64_t seconds)
{
    struct calendar_time time = calendar_of(seconds);
    uint8_t *bytes            = rtc->bytes;
    uint8_t format            = bytes[RTC_B];

    bytes[RTC_SECOND]  = cmos_time_encode(time.second, format);
    bytes[RTC_MINUTE]  = cmos_time_encode(time.minute, format);
    bytes[RTC_HOUR]    = cmos_time_encode_hour(time.hour, format);
    bytes[RTC_WEEKDAY] = cmos_time_encode(time.weekday, format);
    bytes[RTC_DAY]     = cmos_time_encode(time.day, format);
    bytes[RTC_MONTH]   = cmos_time_encode(time.month, format);
    bytes[RTC_YEAR]    = cmos_time_encode(time.year % YEARS_OF_CENTURY, format);
    bytes[RTC_CENTURY] = cmos_time_encode(time.year / YEARS_OF_CENTURY, format);
}

static uint32_t decode(const struct rtc *rtc, enum rtc_byte at)
{
    return cmos_time_decode(rtc->bytes[at], rtc->bytes[RTC_B]);
}

/* Sets the time from the bytes; ignores an invalid one. */
static void load_time(struct rtc *rtc)
{
    const struct calendar_time time = {
        .year   = decode(rtc, RTC_CENTURY) * YEARS_OF_CENTURY + decode(rtc, RTC_YEAR),
        .month  = decode(rtc, RTC_MONTH),
        .day    = decode(rtc, RTC_DAY),
        .hour   = cmos_time_decode_hour(rtc->bytes[RTC_HOUR], rtc->bytes[RTC_B]),
        .minute = decode(rtc, RTC_MINUTE),
        .second = decode(rtc, RTC_SECOND),
    };
    uint64_t passed = divider_now(rtc) / clock_hz(rtc);

    if (!calendar_is_valid(&time))
        return;
    rtc->offset       = calendar_seconds(&time) - passed; /* may wrap around, and back */
    rtc->seconds_seen = time_of(rtc);
}

static bool is_alarm_match(uint8_t alarm, uint8_t value)
{
    return alarm >= ALARM_ANY || alarm == value;
}

/* Returns whether the alarm time was in the seconds after from, up to until. */
static bool was_alarm(const struct rtc *rtc, uint64_t from, uint64_t until)
{
    const uint8_t *bytes = rtc->bytes;
    uint8_t format       = bytes[RTC_B];
    uint64_t first       = until - from > SECONDS_A_DAY ? until - SECONDS_A_DAY : from;

    for (uint64_t seconds = first + 1; seconds <= until; seconds++) {
        uint32_t rest = (uint32_t)(seconds % SECONDS_A_DAY);
        if (is_alarm_match(bytes[RTC_SECOND_ALARM],
                           cmos_time_encode(rest % 60, format)) &&
            is_alarm_match(bytes[RTC_MINUTE_ALARM],
                           cmos_time_encode(rest / 60 % 60, format)) &&
            is_alarm_match(bytes[RTC_HOUR_ALARM],
                           cmos_time_encode_hour(rest / 3600, format)))
            return true;
    }
    return false;
}

static uint64_t periods_of(const struct rtc *rtc, uint32_t hz)
{
    return ticks_convert(divider_now(rtc), clock_hz(rtc), hz);
}

/* Sets the flags for all events since they were last set. */
static void set_flags(struct rtc *rtc)
{
    uint64_t seconds = time_of(rtc);
    uint32_t hz      = rate_hz(rtc);
    uint8_t *flags   = &rtc->bytes[RTC_C];

    if (!is_setting(rtc) && seconds > rtc->seconds_seen) {
        *flags |= B_UPDATE;
        if (was_alarm(rtc, rtc->seconds_seen, seconds))
            *flags |= B_ALARM;
    }
    rtc->seconds_seen = seconds;
    if (hz != 0 && periods_of(rtc, hz) > rtc->periods_seen) {
        *flags |= B_PERIODIC;
        rtc->periods_seen = periods_of(rtc, hz);
    }
}

/* Returns the time of the next event with an enabled interrupt, or TICKS_NEVER. */
static uint64_t next_event(const struct rtc *rtc)
{
    uint8_t enabled = rtc->bytes[RTC_B];
    uint32_t hz     = rate_hz(rtc);
    uint64_t next   = TICKS_NEVER;

    if ((enabled & (B_UPDATE | B_ALARM)) != 0 && !is_setting(rtc) &&
        !A_IS_RESET(rtc->bytes[RTC_A]))
        next = (divider_now(rtc) / clock_hz(rtc) + 1) * clock_hz(rtc);
    if ((enabled & B_PERIODIC) != 0 && hz != 0) {
        uint64_t period = ticks_until(rtc->periods_seen + 1, hz, clock_hz(rtc));
        next            = period < next ? period : next;
    }
    return next == TICKS_NEVER ? next : next + rtc->origin;
}

/* The output is high from the first enabled flag until C is read. */
static void update_output(struct rtc *rtc)
{
    bool is_high = (rtc->bytes[RTC_C] & rtc->bytes[RTC_B] & C_FLAGS) != 0;

    interrupt_line_set(rtc->output, is_high);
    device_timer_set(&rtc->timer, is_high ? TICKS_NEVER : next_event(rtc));
}

static void timer_expired(void *device)
{
    struct rtc *rtc = device;
    set_flags(rtc);
    update_output(rtc);
}

static uint8_t read_flags(struct rtc *rtc)
{
    set_flags(rtc);
    uint8_t flags = rtc->bytes[RTC_C];
    if ((flags & rtc->bytes[RTC_B] & C_FLAGS) != 0)
        flags |= C_REQUEST;
    rtc->bytes[RTC_C] = 0;
    update_output(rtc);
    return flags;
}

/* Data sheet, "Update Cycle": the bit is 1 for 244 us before the bytes change. */
static bool is_updating(const struct rtc *rtc)
{
    uint64_t hz = clock_hz(rtc);
    return !is_setting(rtc) &&
           (divider_now(rtc) % hz) * US_A_SECOND / hz >= US_A_SECOND - UPDATE_US;
}

static uint8_t read_byte(struct rtc *rtc)
{
    switch (rtc->index) {
    case RTC_A:
        return rtc->bytes[RTC_A] | (is_updating(rtc) ? RTC_A_UPDATE_IN_PROGRESS : 0);
    case RTC_C:
        return read_flags(rtc);
    case RTC_D:
        return D_VALID;
    default:
        if (!is_setting(rtc))
            store_time(rtc, time_of(rtc));
        return rtc->bytes[rtc->index];
    }
}

static void write_b(struct rtc *rtc, uint8_t value)
{
    bool was_setting = is_setting(rtc);

    if ((value & B_SET) != 0)
        value &= (uint8_t)~B_UPDATE; /* data sheet, "SET" */
    /* The new format applies to bytes written from now on. */
    rtc->bytes[RTC_B] = value;
    if (was_setting && !is_setting(rtc))
        load_time(rtc);
}

static bool is_time(uint8_t index)
{
    return index == RTC_CENTURY || (index <= RTC_YEAR && index != RTC_SECOND_ALARM &&
                                    index != RTC_MINUTE_ALARM && index != RTC_HOUR_ALARM);
}

static void write_a(struct rtc *rtc, uint8_t value)
{
    uint64_t seconds = time_of(rtc);
    bool was_reset   = A_IS_RESET(rtc->bytes[RTC_A]);

    rtc->bytes[RTC_A] = value & (uint8_t)~RTC_A_UPDATE_IN_PROGRESS;
    if (was_reset != A_IS_RESET(value)) {
        rtc->origin = device_clock_now(rtc->timer.clock) - clock_hz(rtc) / 2;
        rtc->offset = seconds; /* the divider is below one second */
    }
    rtc->periods_seen = periods_of(rtc, rate_hz(rtc));
}

static void write_byte(struct rtc *rtc, uint8_t value)
{
    set_flags(rtc); /* past events used the old bytes */
    if (!is_setting(rtc))
        store_time(rtc, time_of(rtc));
    switch (rtc->index) {
    case RTC_A:
        write_a(rtc, value);
        break;
    case RTC_B:
        write_b(rtc, value);
        break;
    case RTC_C: /* read-only */
    case RTC_D:
        break;
    default:
        rtc->bytes[rtc->index] = value;
        if (is_time(rtc->index) && !is_setting(rtc))
            load_time(rtc);
        break;
    }
    update_output(rtc);
}

static uint32_t read_port(void *device, uint16_t port)
{
    return (port & 1) != 0 ? read_byte(device) : UINT32_MAX; /* the index is write-only */
}

static enum exit_outcome write_port(void *device, uint16_t port, uint32_t value)
{
    struct rtc *rtc = device;

    if ((port & 1) != 0)
        write_byte(rtc, (uint8_t)value);
    else
        rtc->index = value % RTC_BYTES; /* bit 7 masks NMIs; there are none */
    return EXIT_NEXT;
}

static void put_word(struct rtc *rtc, enum rtc_byte at, uint64_t value)
{
    uint64_t word      = value < UINT16_MAX ? value : UINT16_MAX;
    rtc->bytes[at]     = (uint8_t)word;
    rtc->bytes[at + 1] = (uint8_t)(word >> 8);
}

void rtc_set_memory(struct rtc *rtc, uint64_t size)
{
    uint64_t kib = size >> 10, sum = 0;

    put_word(rtc, CMOS_BASE_MEMORY, PC_EBDA_START >> 10);
    put_word(rtc, CMOS_EXTENDED_MEMORY, kib - 1024);
    put_word(rtc, CMOS_EXTENDED_AGAIN, kib - 1024);
    put_word(rtc, CMOS_HIGH_MEMORY, kib > 16384 ? (kib - 16384) / 64 : 0);
    for (unsigned int i = CMOS_SUMMED; i < CMOS_CHECKSUM; i++)
        sum += rtc->bytes[i];
    rtc->bytes[CMOS_CHECKSUM]     = (uint8_t)(sum >> 8);
    rtc->bytes[CMOS_CHECKSUM + 1] = (uint8_t)sum;
}

void rtc_set_time(struct rtc *rtc, uint64_t seconds)
{
    rtc->offset       = seconds;
    rtc->seconds_seen = seconds;
}

void rtc_init(struct rtc *rtc, struct port_map *ports, struct device_clock *clock,
              struct interrupt_line *output)
{
    *rtc = (struct rtc){.bytes  = {[RTC_A]          = A_AFTER_RESET,
                                   [RTC_B]          = B_AFTER_RESET,
                                   [CMOS_EQUIPMENT] = EQUIPMENT_FPU},
                        .output = output};
    device_timer_init(&rtc->timer, clock, timer_expired, rtc);
    port_map_add(ports, (struct port_device){CMOS_PORT_INDEX, CMOS_PORT_DATA, 1, rtc,
                                             read_port, write_port});
}
