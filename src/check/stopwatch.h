/*
 * Measures what virt/timing.h describes, by the rows of a struct virtualization, on the
 * CPU that executes it.
 */
#ifndef HYMIR_CHECK_STOPWATCH_H
#define HYMIR_CHECK_STOPWATCH_H

#include "virt/virtualization.h"

/*
 * Measures each row that the processor has, for at most 50 ms, into the record's timings.
 * A row that fails counts as not measured. Uses the last page of the trial for samples.
 * After the trial's guest has run, with interrupts off.
 */
void stopwatch_run(struct trial *trial);

#endif
