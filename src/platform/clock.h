/*
 * Deadlines and short waits, by the time-stamp counter.
 *
 * Owns the TSC's frequency. SDM 3B, "Time-Stamp Counter". The TSCs of different CPUs may
 * differ: a deadline is valid only on the CPU that created it.
 */
#ifndef HYMIR_PLATFORM_CLOCK_H
#define HYMIR_PLATFORM_CLOCK_H

#include "cpu/cpuid.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Determines the frequency: measured against the 8254, reported by the outer hypervisor
 * or by the processor; otherwise 10 GHz, so that waits are never too short. Takes about
 * 30 ms; without an 8254 at most 200 million TSC ticks. Call once, on the boot CPU,
 * before any other function.
 */
void clock_init(const struct cpuid_snapshot *snapshot);

/* Returns the source of the frequency, for display. */
const char *clock_source(void);

/* Returns the TSC's frequency in Hz. */
uint64_t clock_frequency(void);

struct deadline {
    uint64_t start;
    uint64_t ticks;
};

/* Returns the deadline timeout_us microseconds from now. */
struct deadline deadline_in(uint32_t timeout_us);

bool deadline_has_passed(const struct deadline *deadline);

/* Busy-waits for time_us microseconds. */
void clock_wait(uint32_t time_us);

#endif
