/*
 * Deliberate faults of Hymir's own, by the option selftest=: so that its tests, and
 * whoever wants to know, see how it fails.
 */
#ifndef HYMIR_CPU_SELFTEST_H
#define HYMIR_CPU_SELFTEST_H

#include "lib/options.h"

/*
 * Commits the fault on the CPU that executes this; returns only from those that are none.
 */
void selftest_run(enum selftest selftest);

#endif
