/*
 * The MC146818 clock and CMOS memory of a PC, as a guest sees them.
 *
 * Motorola MC146818 data sheet. Time and date, binary or BCD, 24 or 12 hours, with the
 * century in byte 0x32; the update-in-progress bit; the divider's reset; alarm, periodic
 * and update-ended interrupts. Not modelled: daylight saving, square wave. Nothing ticks:
 * what the time is and what has happened since is computed when somebody asks.
 */
#ifndef HYMIR_DEV_RTC_H
#define HYMIR_DEV_RTC_H

#include "dev/port_device.h"
#include "dev/timer.h"

#include <stdbool.h>
#include <stdint.h>

#define RTC_BYTES 128

/* The interrupt output. */
typedef void rtc_output(void *context, bool is_high);

struct rtc {
    uint8_t index;
    uint8_t bytes[RTC_BYTES]; /* those of the time only while it is being set */
    uint64_t origin;          /* the clock when the divider was 0; may wrap around */
    uint64_t offset;          /* the time then, in seconds since 1970 */
    uint64_t seconds_seen;    /* up to which flags are set */
    uint64_t periods_seen;
    struct device_timer timer;
    rtc_output *output;
    void *context;
};

/* Brings it to the state in which a PC's firmware leaves it, but for the time: 1970. */
void rtc_init(struct rtc *rtc, struct device_clock *clock, rtc_output *output,
              void *context);

/* Set the time, in seconds since 1970, and the size of memory, in bytes. */
void rtc_set_time(struct rtc *rtc, uint64_t seconds);
void rtc_set_memory(struct rtc *rtc, uint64_t size);

/* The device at 0x70. */
struct port_device rtc_device(struct rtc *rtc);

#endif
