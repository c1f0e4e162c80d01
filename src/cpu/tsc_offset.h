/*
 * The offset of a CPU's time-stamp counter from the boot CPU's, within bounds.
 *
 * The boot CPU reads its TSC, asks the other CPU for a reading of its own, and reads its
 * TSC again. The other's reading was between the two, whatever the communication took,
 * so that each round bounds the offset, and all rounds together by the intersection: F.
 * Cristian, "Probabilistic Clock Synchronization", Distributed Computing 3 (1989); K.
 * Marzullo, S. Owicki, "Maintaining the Time in a Distributed System", PODC 1983. What
 * is reported as an offset is therefore proven. Pure.
 */
#ifndef HYMIR_CPU_TSC_OFFSET_H
#define HYMIR_CPU_TSC_OFFSET_H

#include "lib/format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero before the first round. */
struct tsc_offset {
    size_t rounds;
    int64_t least, most; /* ticks of the TSC; positive if the other CPU is ahead */
};

/* Adds a round: the boot CPU's TSC before and after it, and the other's between them. */
void tsc_offset_add(struct tsc_offset *offset, uint64_t before, uint64_t other,
                    uint64_t after);

enum tsc_synchrony {
    TSC_NOT_COMPARED,
    TSC_IN_STEP,     /* as far as can be measured */
    TSC_NOT_IN_STEP, /* there is an offset */
    TSC_DRIFTS,      /* no offset fits all rounds: one TSC stops or is slower */
};
enum tsc_synchrony tsc_offset_synchrony(const struct tsc_offset *offset);

/* Returns the likeliest offset in ticks, and how much it may be off. */
int64_t tsc_offset_ticks(const struct tsc_offset *offset);
uint64_t tsc_offset_error(const struct tsc_offset *offset);

/* Appends "123 ticks ahead of cpu 0's, within 45" and the like. */
void tsc_offset_describe(const struct tsc_offset *offset, struct text *text);

#endif
