/*
 * The time of a VM's devices, and the moments at which they want to be called.
 *
 * A device has a struct device_timer for what it waits for; the clock keeps them, and
 * asks its VM to be called at the earliest. Time is in ticks of hz since the VM started.
 * Used on the vCPU's CPU alone.
 */
#ifndef HYMIR_DEV_TIMER_H
#define HYMIR_DEV_TIMER_H

#include "lib/ticks.h"

#include <stddef.h>
#include <stdint.h>

struct device_clock;

struct device_timer {
    uint64_t deadline; /* TICKS_NEVER: not set */
    void (*expired)(void *device);
    void *device;
    struct device_clock *clock;
    struct device_timer *next; /* of the clock's */
};

struct device_clock {
    uint64_t hz;
    uint64_t (*read)(void); /* the machine's clock, of hz */
    uint64_t start;         /* what that said when the VM started */
    void (*alarm)(void *context, uint64_t deadline); /* takes the place of the last one */
    void *context;
    uint64_t earliest; /* of the timers, as alarm was told */
    struct device_timer *timers;
};

/* Makes a clock without timers; the caller fills in hz, read, start, alarm and context.
 */
void device_clock_init(struct device_clock *clock);

/* Makes a timer of the clock's, not set. Once for each timer. */
void device_timer_init(struct device_timer *timer, struct device_clock *clock,
                       void (*expired)(void *device), void *device);

/* Has the device called at the deadline or soon after; TICKS_NEVER: not at all. */
void device_timer_set(struct device_timer *timer, uint64_t deadline);

/* Calls whose deadline has come, and asks for the next alarm. */
void device_clock_run(struct device_clock *clock);

static inline uint64_t device_clock_now(const struct device_clock *clock)
{
    return clock->read() - clock->start;
}

#endif
