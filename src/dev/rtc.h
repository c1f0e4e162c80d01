/*
 * The MC146818 clock and CMOS memory of a PC, as a guest sees them.
 *
 * Motorola MC146818 data sheet. Time and date, binary or BCD, 24 or 12 hours, with the
 * century in byte 0x32; the update-in-progress bit; the divider's reset; alarm, periodic
 * and update-ended interrupts. Not modelled: daylight saving, square wave. Nothing ticks:
 * time and flags are computed from the time of each access.
 */
#ifndef HYMIR_DEV_RTC_H
#define HYMIR_DEV_RTC_H

#include "dev/interrupt_line.h"
#include "dev/port_map.h"
#include "dev/timer.h"

#include <stdint.h>

#define RTC_BYTES 128

struct rtc {
    uint8_t index;
    uint8_t bytes[RTC_BYTES]; /* those of the time are valid only while it is being set */
    uint64_t origin;          /* the clock when the divider was 0; may wrap around */
    uint64_t offset;          /* the time at origin, in seconds since 1970 */
    uint64_t seconds_seen;    /* the time up to which flags are set */
    uint64_t periods_seen;
    struct device_timer timer;
    struct interrupt_line *output;
};

/* Sets the state that a PC's firmware leaves, at time 0, and adds its ports. */
void rtc_init(struct rtc *rtc, struct port_map *ports, struct device_clock *clock,
              struct interrupt_line *output);

/* Set the time, in seconds since 1970, and the size of memory, in bytes. */
void rtc_set_time(struct rtc *rtc, uint64_t seconds);
void rtc_set_memory(struct rtc *rtc, uint64_t size);

#endif
