/*
 * Time, from the time-stamp counter: deadlines and short waits.
 *
 * Owns the TSC's frequency. SDM 3B, "Time-Stamp Counter". The TSCs of different CPUs may
 * differ: a deadline belongs to the CPU that made it.
 */
#ifndef HYMIR_PLATFORM_CLOCK_H
#define HYMIR_PLATFORM_CLOCK_H

#include "cpu/cpuid.h"

#include <stdbool.h>
#include <stdint.h>

/* Where the frequency comes from. */
enum clock_source {
    CLOCK_PIT,        /* measured against the 8254 */
    CLOCK_HYPERVISOR, /* told by the outer hypervisor, CPUID leaf 0x40000010 */
    CLOCK_CPUID,      /* told by the processor, CPUID leaves 0x15 and 0x16 */
    CLOCK_ASSUMED,    /* none of these: 10 GHz, so that waits are never too short */
};

/*
 * Finds the frequency; takes about 30 ms, and no longer than 200 million ticks of the TSC
 * where there is no 8254. Call once, on the boot CPU, before any other function.
 */
enum clock_source clock_init(const struct cpuid_snapshot *snapshot);

/* Returns the TSC of this CPU, and the TSC's frequency, in Hz. */
uint64_t clock_read(void);
uint64_t clock_frequency(void);

struct deadline {
    uint64_t start;
    uint64_t ticks;
};

/* The point in time that lies timeout_us microseconds ahead, at most 2^32 - 1. */
struct deadline deadline_in(uint32_t timeout_us);

bool deadline_has_passed(const struct deadline *deadline);

/* Waits for so many microseconds. */
void clock_wait(uint32_t time_us);

#endif
