/*
 * Measures the timings of a struct virtualization (virt/timing.h) on the current CPU.
 */
#ifndef HYMIR_CHECK_STOPWATCH_H
#define HYMIR_CHECK_STOPWATCH_H

#include "virt/virtualization.h"

/*
 * Measures each row that the processor supports, for at most 50 ms, into the record's
 * timings. A row that fails counts as not measured. Uses the last page of the trial for
 * samples. Call it after the trial's guest has run, with interrupts disabled.
 */
void stopwatch_run(struct trial *trial);

#endif
