/* See cmos_time.h. */
#include "lib/cmos_time.h"

uint8_t cmos_time_encode(uint32_t value, uint8_t format)
{
    if ((format & CMOS_TIME_BINARY) != 0)
        return (uint8_t)value;
    return (uint8_t)(value / 10 << 4 | value % 10);
}

uint8_t cmos_time_encode_hour(uint32_t hour, uint8_t format)
{
    if ((format & CMOS_TIME_24_HOURS) != 0)
        return cmos_time_encode(hour, format);
    uint8_t byte = cmos_time_encode(hour % 12 == 0 ? 12 : hour % 12, format);
    return hour >= 12 ? byte | CMOS_TIME_PM : byte;
}

uint32_t cmos_time_decode(uint8_t byte, uint8_t format)
{
    if ((format & CMOS_TIME_BINARY) != 0)
        return byte;
    return (byte >> 4) * 10U + (byte & 0x0FU);
}

uint32_t cmos_time_decode_hour(uint8_t byte, uint8_t format)
{
    if ((format & CMOS_TIME_24_HOURS) != 0)
        return cmos_time_decode(byte, format);
    uint32_t hour = cmos_time_decode(byte & (uint8_t)~CMOS_TIME_PM, format) % 12;
    return (byte & CMOS_TIME_PM) != 0 ? hour + 12 : hour;
}
