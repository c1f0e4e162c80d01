/* The timer of the first local APIC of local_apic.h, and its clock. */
#ifndef HYMIR_TESTS_APIC_TIMER_H
#define HYMIR_TESTS_APIC_TIMER_H

#include "local_apic.h"

#define VECTOR 0x61U
#define RATIO  (CLOCK_HZ / TIMER_HZ) /* clock ticks of a timer tick */

#define ONE_SHOT     0U
#define PERIODIC     0x20000U
#define TSC_DEADLINE 0x40000U
#define RESERVED     0x60000U
#define MASKED       0x10000U

static inline void start_timer(uint32_t mode, uint32_t divide, uint32_t count)
{
    write_offset(0x320, mode | VECTOR);
    write_offset(0x3E0, divide);
    write_offset(0x380, count);
}

/* Moves the clock, and runs it if the alarm is due. */
static inline void pass(uint64_t clock_ticks)
{
    clock_now += clock_ticks;
    if (clock_now >= alarm_time) {
        alarm_time = TICKS_NEVER;
        device_clock_run(&test_clock);
    }
}

/* Returns whether the timer's interrupt has arrived, and ends it. */
static inline bool take_interrupt(void)
{
    bool has_arrived = test_vector(0x200, VECTOR);
    assert_int_equal(is_output_high[0], has_arrived);
    if (has_arrived) {
        assert_int_equal(local_apic_acknowledge(apic), VECTOR);
        write_offset(0xB0, 0);
    }
    return has_arrived;
}

#endif
