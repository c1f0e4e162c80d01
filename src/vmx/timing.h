/*
 * What VMX costs on this CPU: times of single instructions and of VM exits, in ticks of
 * the TSC.
 *
 * Each is measured TIMING_ROUNDS times, between two RDTSCs, less the median of what the
 * two cost by themselves. An exit is the whole way: VMRESUME, the guest's instruction,
 * the exit, and Hymir's own entry code, up to the handler. SDM 3B, "Time-Stamp Counter".
 */
#ifndef HYMIR_VMX_TIMING_H
#define HYMIR_VMX_TIMING_H

#include "lib/statistics.h"

#include <stdbool.h>
#include <stdint.h>

#define TIMING_ROUNDS 1000

enum timing_kind {
    TIMING_EXIT_CPUID,
    TIMING_EXIT_VMCALL,
    TIMING_VMREAD,
    TIMING_VMWRITE,
    TIMING_VMPTRLD,
    TIMING_INVEPT,
    TIMING_INVVPID,
    TIMING_KINDS,
};

/* Its name in the report. */
const char *timing_name(enum timing_kind kind);

struct timings {
    struct statistics kind[TIMING_KINDS]; /* count 0: not measured */
};

/* True if anything was measured. */
bool timings_are_there(const struct timings *timings);

#endif
