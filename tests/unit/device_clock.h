/*
 * A clock of src/dev/timer.h that a test advances, for the tests of a device with timers.
 */
#ifndef HYMIR_TESTS_DEVICE_CLOCK_H
#define HYMIR_TESTS_DEVICE_CLOCK_H

#include "unit.h"

#include "dev/timer.h"

static uint64_t now, alarm_time;

static uint64_t read_clock(void)
{
    return 1000 + now;
}

static void set_alarm(void *context, uint64_t deadline)
{
    assert_ptr_equal(context, &now);
    alarm_time = deadline;
}

static struct device_clock test_clock = {
    .read = read_clock, .start = 1000, .alarm = set_alarm, .context = &now};

static inline void clock_start(uint64_t hz)
{
    now           = 0;
    alarm_time    = TICKS_NEVER;
    test_clock.hz = hz;
    device_clock_init(&test_clock);
}

/* As after an alarm. */
static inline void run_clock(void)
{
    alarm_time = TICKS_NEVER;
    device_clock_run(&test_clock);
}

#endif
