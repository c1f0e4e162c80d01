/*
 * The cost of virtualization on a CPU: times of single instructions and of VM exits, in
 * ticks of the TSC.
 *
 * Each is measured TIMING_ROUNDS times between two RDTSCs, whose own median cost is
 * subtracted; instructions are repeated in a round, between fences. An exit is the whole
 * round trip: VM entry, the guest's instruction, the exit, and Hymir's entry code, up to
 * the handler. SDM 3B, "Time-Stamp Counter".
 */
#ifndef HYMIR_VIRT_TIMING_H
#define HYMIR_VIRT_TIMING_H

#include "lib/statistics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMING_ROUNDS   1000
#define TIMING_ROWS_MAX 8

/* The measurements, by row of the vendor's table. */
struct timings {
    struct statistics row[TIMING_ROWS_MAX]; /* count 0: not measured */
};

/* Returns whether anything was measured. */
static inline bool timings_exist(const struct timings *timings)
{
    for (size_t i = 0; i < TIMING_ROWS_MAX; i++) {
        if (timings->row[i].count > 0)
            return true;
    }
    return false;
}

/* A measurement in progress. */
struct stopwatch {
    uint32_t *samples; /* room for TIMING_ROUNDS */
    uint32_t count;
    uint64_t start; /* of the round, by the TSC; 0 before the first */
    uint64_t until; /* the time limit */
};

/*
 * Adds a round that ended at end, a time of the TSC; the first call only starts one.
 * Returns false after the last round. The caller sets start to the time at which the
 * next round begins.
 */
static inline bool stopwatch_add_round(struct stopwatch *stopwatch, uint64_t end)
{
    uint64_t ticks = end - stopwatch->start;

    if (stopwatch->start != 0)
        stopwatch->samples[stopwatch->count++] =
            ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX;
    return stopwatch->count < TIMING_ROUNDS && end < stopwatch->until;
}

#endif
