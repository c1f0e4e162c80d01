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

static uint8_t read_byte(uint8_t index)
{
    io_out8(CMOS_PORT_INDEX, index);
    return io_in8(CMOS_PORT_DATA);
}

/* Reads a number; format is register B. */
static uint32_t read_number(uint8_t index, uint8_t format)
{
    return cmos_time_decode(read_byte(index), format);
}

/* Assumes the 21st century if the century's byte is invalid: not every clock has it. */
static uint32_t read_year(uint8_t format)
{
    uint32_t century = read_number(RTC_CENTURY, format);

    if (century < OLDEST_CENTURY || century > OLDEST_CENTURY + 2)
        century = OLDEST_CENTURY + 1;
    return century * YEARS_OF_CENTURY + read_number(RTC_YEAR, format);
}

static struct calendar_time read_time(uint8_t format)
{
    return (struct calendar_time){
        .year   = read_year(format),
        .month  = read_number(RTC_MONTH, format),
        .day    = read_number(RTC_DAY, format),
        .hour   = cmos_time_decode_hour(read_byte(RTC_HOUR), format),
        .minute = read_number(RTC_MINUTE, format),
        .second = read_number(RTC_SECOND, format),
    };
}

/* Reads the time until two readings agree, without an update between them. */
static enum status read_settled(struct calendar_time *time)
{
    struct deadline deadline = deadline_in(TIMEOUT_US);
    uint8_t format           = read_byte(RTC_B);

    while (!deadline_has_passed(&deadline)) {
        if ((read_byte(RTC_A) & RTC_A_UPDATE_IN_PROGRESS) != 0) {
            cpu_pause();
            continue;
        }
        *time                      = read_time(format);
        struct calendar_time again = read_time(format);
        if (memcmp(time, &again, sizeof(again)) == 0)
            return STATUS_OK;
    }
    return STATUS_TIMEOUT;
}

enum status wall_clock_read(uint64_t *seconds)
{
    struct calendar_time time;
    enum status status = read_settled(&time);

    if (status != STATUS_OK)
        return status;
    if (!calendar_is_valid(&time))
        return STATUS_OUT_OF_RANGE;
    *seconds = calendar_seconds(&time);
    return STATUS_OK;
}
