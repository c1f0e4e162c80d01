/*
 * The clock of a VM's devices, and their timers.
 *
 * The clock keeps a list of the timers that are set, the earliest first, and requests an
 * alarm for that one. Times are in ticks of hz since the VM started. Used on one CPU at a
 * time.
 */
#ifndef HYMIR_DEV_TIMER_H
#define HYMIR_DEV_TIMER_H

#include "lib/ticks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device_clock;

struct device_timer {
    uint64_t deadline; /* TICKS_NEVER: not set */
    void (*expired)(void *device);
    void *device;
    struct device_clock *clock;
    struct device_timer *next; /* in the clock's list, if set */
};

struct device_clock {
    uint64_t hz;
    uint64_t (*read)(void); /* the machine's clock, in ticks of hz */
    uint64_t start;         /* its value when the VM started */
    void (*alarm)(void *context, uint64_t deadline); /* replaces the previous alarm */
    void *context;
    uint64_t earliest;          /* deadline of the current alarm */
    bool is_running;            /* device_clock_run will request the alarm */
    struct device_timer *first; /* in the order of their deadlines */
};

/* Empties the list of timers; the caller sets hz, read, start, alarm and context. */
void device_clock_init(struct device_clock *clock);

/* Connects a timer to the clock, not set. */
void device_timer_init(struct device_timer *timer, struct device_clock *clock,
                       void (*expired)(void *device), void *device);

/* Calls expired at the deadline or soon after; TICKS_NEVER cancels the timer. */
void device_timer_set(struct device_timer *timer, uint64_t deadline);

/*
 * Calls expired for each timer that is due, and requests the next alarm. A callback may
 * set any timer, its own only to a time to come.
 */
void device_clock_run(struct device_clock *clock);

/* Returns the time of the alarm in the machine's ticks, or TICKS_NEVER. */
static inline uint64_t device_clock_alarm(const struct device_clock *clock)
{
    return clock->earliest == TICKS_NEVER ? TICKS_NEVER : clock->start + clock->earliest;
}

static inline uint64_t device_clock_now(const struct device_clock *clock)
{
    return clock->read() - clock->start;
}

#endif
