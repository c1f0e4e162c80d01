/* See wall_clock.h. */
#include "platform/wall_clock.h"

#include "cpu/instructions.h"
#include "lib/calendar.h"
#include "lib/string.h"
#include "platform/clock.h"
#include "x86/cmos_clock.h"

#define TIMEOUT_US 1000000

#define OLDEST_CENTURY   19U
#define YEARS_OF_CENTURY 100U

/* The bytes of the time, in the order of struct calendar_time. */
struct cmos_time {
    uint8_t century, year, month, day, hour, minute, second;
};

static uint8_t read_byte(uint8_t index)
{
    io_out8(CMOS_PORT_INDEX, index);
    return io_in8(CMOS_PORT_DATA);
}

static struct cmos_time read_bytes(void)
{
    return (struct cmos_time){
        .century = read_byte(RTC_CENTURY),
        .year    = read_byte(RTC_YEAR),
        .month   = read_byte(RTC_MONTH),
        .day     = read_byte(RTC_DAY),
        .hour    = read_byte(RTC_HOUR),
        .minute  = read_byte(RTC_MINUTE),
        .second  = read_byte(RTC_SECOND),
    };
}

/* Assumes the 21st century if the century's byte is invalid: not every clock has it. */
static uint32_t decode_year(const struct cmos_time *bytes, uint8_t format)
{
    uint32_t century = cmos_time_decode(bytes->century, format);
    uint32_t year    = cmos_time_decode(bytes->year, format);

    if (century < OLDEST_CENTURY || century > OLDEST_CENTURY + 2)
        century = OLDEST_CENTURY + 1;
    return century * YEARS_OF_CENTURY + year;
}

/* Reads the time until two readings agree, without an update between them. */
static enum status read_settled(struct cmos_time *bytes)
{
    struct deadline deadline = deadline_in(TIMEOUT_US);

    while (!deadline_has_passed(&deadline)) {
        if ((read_byte(RTC_A) & RTC_A_UPDATE_IN_PROGRESS) != 0) {
            cpu_pause();
            continue;
        }
        struct cmos_time first  = read_bytes();
        struct cmos_time second = read_bytes();
        if (memcmp(&first, &second, sizeof(first)) == 0) {
            *bytes = first;
            return STATUS_OK;
        }
    }
    return STATUS_TIMEOUT;
}

enum status wall_clock_read(uint64_t *seconds)
{
    struct cmos_time bytes;
    uint8_t format     = read_byte(RTC_B);
    enum status status = read_settled(&bytes);

    if (status != STATUS_OK)
        return status;
    const struct calendar_time time = {
        .year   = decode_year(&bytes, format),
        .month  = cmos_time_decode(bytes.month, format),
        .day    = cmos_time_decode(bytes.day, format),
        .hour   = cmos_time_decode_hour(bytes.hour, format),
        .minute = cmos_time_decode(bytes.minute, format),
        .second = cmos_time_decode(bytes.second, format),
    };
    if (!calendar_is_valid(&time))
        return STATUS_OUT_OF_RANGE;
    *seconds = calendar_seconds(&time);
    return STATUS_OK;
}
