/*
 * The frequency of the time-stamp counter: computed from samples of a reference clock,
 * and compared with what the processor and the outer hypervisor report.
 *
 * What they report may be the clock of another machine, as in an emulator that presents a
 * real processor: it is exact only if a measurement confirms it. SDM 3B, "Time-Stamp
 * Counter"; SDM 2, "CPUID", leaves 15H and 16H. Pure.
 */
#ifndef HYMIR_PLATFORM_TSC_FREQUENCY_H
#define HYMIR_PLATFORM_TSC_FREQUENCY_H

#include "cpu/cpuid.h"
#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

/* A clock that counts up, and wraps to 0 after mask. */
struct reference_clock {
    const char *name; /* "the ACPI PM timer" */
    uint64_t hz;
    uint64_t mask;
    struct clock_sample (*sample)(void);
};

/* A count of a reference clock, and the TSC's when it was read. */
struct clock_sample {
    uint64_t ticks; /* of the TSC, in the middle of the access */
    uint64_t width; /* ticks that the access took */
    uint64_t count;
};

struct tsc_frequency {
    uint64_t hz;              /* 0: unknown */
    uint32_t uncertainty_ppm; /* 0: exact, as far as the crystal is */
    const char *reporter;     /* NULL: measured */
    const char *reference;    /* that measured or confirmed it; NULL: none */
};
#define TSC_UNCERTAINTY_UNKNOWN UINT32_MAX

/*
 * The tolerance of a crystal: a frequency that is known within it is as good as one that
 * the processor reports, which is that of its crystal's nominal frequency.
 */
#define TSC_CRYSTAL_PPM 50

/* A frequency outside these bounds is an error; emulators need the lower one. */
#define SLOWEST_TSC_HZ UINT64_C(500000)
#define FASTEST_TSC_HZ UINT64_C(20000000000)

/* The frequency that is assumed if none is known, so that no wait is too short. */
#define ASSUMED_TSC_HZ UINT64_C(10000000000)

/*
 * Returns how many times a clock counted between two samples that are less than 100 s
 * apart. The TSC's frequency, hz, says how often it wrapped: it must be right within half
 * a period of the clock; 0 if the clock did not wrap.
 */
uint64_t reference_clock_passed(const struct reference_clock *clock,
                                const struct clock_sample *first,
                                const struct clock_sample *last, uint64_t hz);

/*
 * Computes the frequency from two samples of a clock that counted passed times between
 * them. The uncertainty is that of reading; the clock's own crystal, typically within 50
 * ppm, adds to it. hz is 0 if it is not plausible.
 */
struct tsc_frequency tsc_frequency_measure(const struct reference_clock *clock,
                                           const struct clock_sample *first,
                                           const struct clock_sample *last,
                                           uint64_t passed);

/*
 * Returns the best of a measurement (hz 0: none) and of what is reported: a report that
 * the measurement confirms, the measurement, a report without one, or hz 0.
 */
struct tsc_frequency tsc_frequency_choose(const struct cpuid_snapshot *snapshot,
                                          const struct tsc_frequency *measured);

/* Returns whether two frequencies differ by at most so many millionths. */
bool tsc_frequency_agrees(uint64_t hz, uint64_t other, uint64_t ppm);

/* Appends "measured with the ACPI PM timer" and the like, up to 150 characters. */
void tsc_frequency_describe(const struct tsc_frequency *frequency, struct text *text);

#endif
