/*
 * Deadlines and short waits, by the time-stamp counter.
 *
 * Owns the TSC's frequency. SDM 3B, "Time-Stamp Counter". The TSCs of different CPUs may
 * differ: a deadline is valid only on the CPU that created it.
 */
#ifndef HYMIR_PLATFORM_CLOCK_H
#define HYMIR_PLATFORM_CLOCK_H

#include "firmware/acpi.h"
#include "platform/tsc_frequency.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Determines the frequency within some hundred ppm, in 10 ms, with the 8254. Without one,
 * in at most 200 million TSC ticks, takes what the processor or the outer hypervisor
 * reports, otherwise 10 GHz, so that waits are never too short. Call once, on the boot
 * CPU, before any other function.
 */
void clock_init(const struct cpuid_snapshot *snapshot);

/*
 * Measure the frequency over the time between them, on the boot CPU, while it does other
 * work: once each, with a clock that ACPI (NULL: no tables) describes, else the 8254,
 * else an HPET at its usual address. The first also determines the frequency if
 * clock_init found no 8254, and warns if it is still unknown. The second waits until 50
 * ms have passed; less than 100 s should.
 */
void clock_begin_measurement(const struct acpi *acpi);
void clock_end_measurement(void);

/* Returns what is known of the frequency; its hz is 0 if nothing is. */
const struct tsc_frequency *clock_tsc(void);

/* Returns the source of the frequency, for display. */
const char *clock_source(void);

/* Returns the TSC's frequency in Hz, if need be an assumed one. */
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
