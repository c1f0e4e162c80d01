/*
 * An emulated 8254 of src/dev/pit.h, with a clock that a test advances.
 */
#ifndef HYMIR_TESTS_PIT_H
#define HYMIR_TESTS_PIT_H

#include "ports.h"

#include "dev/pit.h"
#include "random.h"

static struct pit pit;
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

static void pit_start(uint64_t hz)
{
    now           = 0;
    alarm_time    = TICKS_NEVER;
    test_clock.hz = hz;
    start_ports(true);
    device_clock_init(&test_clock);
    pit_init(&pit, &test_ports, &test_clock, &output_line);
}

static inline void out_both(uint16_t port, unsigned int value)
{
    port_out(port, value & 0xFF);
    port_out(port, value >> 8);
}

#endif
