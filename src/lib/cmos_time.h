/*
 * The time formats of an MC146818 clock, selected by its register B.
 *
 * Used for the machine's clock and for the guest's emulated one. Motorola MC146818 data
 * sheet, "Time, Calendar, and Alarm Locations". Pure.
 */
#ifndef HYMIR_LIB_CMOS_TIME_H
#define HYMIR_LIB_CMOS_TIME_H

#include <stdint.h>

/* Register B. */
#define CMOS_TIME_BINARY   0x04U /* otherwise BCD */
#define CMOS_TIME_24_HOURS 0x02U /* otherwise 12 hours, with CMOS_TIME_PM */
#define CMOS_TIME_PM       0x80U /* in the hour byte */

/* Encodes a number (0 to 99) or an hour (0 to 23); format is register B. */
uint8_t cmos_time_encode(uint32_t value, uint8_t format);
uint8_t cmos_time_encode_hour(uint32_t hour, uint8_t format);

/* Decodes a byte; invalid BCD yields a number up to 165. */
uint32_t cmos_time_decode(uint8_t byte, uint8_t format);
uint32_t cmos_time_decode_hour(uint8_t byte, uint8_t format);

#endif
