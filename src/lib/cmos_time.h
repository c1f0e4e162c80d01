/*
 * The numbers of an MC146818's time, as its register B says that they are written.
 *
 * Motorola MC146818 data sheet, "Time, Calendar, and Alarm Locations". Pure; for the
 * machine's clock and for the one that a guest sees.
 */
#ifndef HYMIR_LIB_CMOS_TIME_H
#define HYMIR_LIB_CMOS_TIME_H

#include <stdint.h>

/* Register B. */
#define CMOS_TIME_BINARY   0x04U /* else BCD */
#define CMOS_TIME_24_HOURS 0x02U /* else 12, with CMOS_TIME_PM */
#define CMOS_TIME_PM       0x80U /* of the hour's byte */

/* The byte for a number from 0 to 99, and for an hour from 0 to 23; format is B. */
uint8_t cmos_time_encode(uint32_t value, uint8_t format);
uint8_t cmos_time_encode_hour(uint32_t hour, uint8_t format);

/* The number in any byte; one that is not BCD gives something up to 165. */
uint32_t cmos_time_decode(uint8_t byte, uint8_t format);
uint32_t cmos_time_decode_hour(uint8_t byte, uint8_t format);

#endif
