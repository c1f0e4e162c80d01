/*
 * The CPUs that can run guests, and which guest has which: the machine's side of
 * placement.h. On the boot CPU.
 */
#ifndef HYMIR_RUNNER_GUEST_PLACEMENT_H
#define HYMIR_RUNNER_GUEST_PLACEMENT_H

#include "guest/vm.h"
#include "report/facts.h"
#include "runner/placement.h"

/*
 * Finds the CPUs that can run guests: their check succeeded, and they lack nothing. None,
 * with an error in the log, without memory for their list. Once.
 */
struct placement *guest_placement_find(const struct report_facts *facts);

/*
 * Gives each vCPU of the guests a CPU, and logs which. A guest for which too few are left
 * gets none, and its end, which is logged, says why.
 */
void guest_placement_place(struct vm *const guests[], size_t count);

#endif
