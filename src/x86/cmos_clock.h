/*
 * The clock of a PC: the bytes of an MC146818, and numbers in the format that register B
 * selects.
 *
 * Motorola MC146818 data sheet, "Address Map", "Time, Calendar, and Alarm Locations".
 */
#ifndef HYMIR_X86_CMOS_CLOCK_H
#define HYMIR_X86_CMOS_CLOCK_H

#include <stdint.h>

#define CMOS_PORT_INDEX 0x70
#define CMOS_PORT_DATA  0x71

enum rtc_byte {
    RTC_SECOND,
    RTC_SECOND_ALARM,
    RTC_MINUTE,
    RTC_MINUTE_ALARM,
    RTC_HOUR,
    RTC_HOUR_ALARM,
    RTC_WEEKDAY,
    RTC_DAY,
    RTC_MONTH,
    RTC_YEAR,
    RTC_A,
    RTC_B,
    RTC_C,
    RTC_D,

    /* Defined by PCs, not by the MC146818. */
    CMOS_SUMMED          = 0x10, /* the first byte that the checksum covers */
    CMOS_EQUIPMENT       = 0x14,
    CMOS_BASE_MEMORY     = 0x15, /* KiB below the EBDA, two bytes */
    CMOS_EXTENDED_MEMORY = 0x17, /* KiB above 1 MiB, two bytes */
    CMOS_CHECKSUM        = 0x2E, /* of 0x10 to 0x2D, high byte first */
    CMOS_EXTENDED_AGAIN  = 0x30,
    RTC_CENTURY          = 0x32,
    CMOS_HIGH_MEMORY     = 0x34, /* 64 KiB above 16 MiB, two bytes */
};

#define RTC_A_UPDATE_IN_PROGRESS 0x80U

/* Register B. In 12-hour mode the byte of the hour has the bit PM. */
#define CMOS_TIME_24_HOURS 0x02U /* else 12 */
#define CMOS_TIME_BINARY   0x04U /* else BCD */
#define CMOS_TIME_PM       0x80U

/* Returns the byte for a number from 0 to 99; format is register B. */
static inline uint8_t cmos_time_encode(uint32_t value, uint8_t format)
{
    if ((format & CMOS_TIME_BINARY) != 0)
        return (uint8_t)value;
    return (uint8_t)(value / 10 << 4 | value % 10);
}

/* Returns the byte for an hour from 0 to 23. */
static inline uint8_t cmos_time_encode_hour(uint32_t hour, uint8_t format)
{
    if ((format & CMOS_TIME_24_HOURS) != 0)
        return cmos_time_encode(hour, format);
    uint8_t byte = cmos_time_encode(hour % 12 == 0 ? 12 : hour % 12, format);
    return hour >= 12 ? byte | CMOS_TIME_PM : byte;
}

/* Returns the number in a byte; up to 165 if the byte is not valid BCD. */
static inline uint32_t cmos_time_decode(uint8_t byte, uint8_t format)
{
    if ((format & CMOS_TIME_BINARY) != 0)
        return byte;
    return (byte >> 4) * 10U + byte % 16U;
}

static inline uint32_t cmos_time_decode_hour(uint8_t byte, uint8_t format)
{
    if ((format & CMOS_TIME_24_HOURS) != 0)
        return cmos_time_decode(byte, format);
    uint32_t hour = cmos_time_decode(byte & (uint8_t)~CMOS_TIME_PM, format) % 12;
    return (byte & CMOS_TIME_PM) != 0 ? hour + 12 : hour;
}

#endif
