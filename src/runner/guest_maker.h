/*
 * Creates guests from modules, and prepares them before each run.
 *
 * The boot CPU decides which guests fit and allocates for all of them; the CPU of each
 * guest's first vCPU tests, clears and maps its memory and loads its image.
 *
 * Owns the modules' options, the time of day that guests start with, and the size of the
 * pages that map their memory.
 */
#ifndef HYMIR_RUNNER_GUEST_MAKER_H
#define HYMIR_RUNNER_GUEST_MAKER_H

#include "firmware/multiboot2.h"
#include "guest/vm.h"
#include "lib/options.h"
#include "runner/placement.h"
#include "virt/virtualization.h"

#include <stdbool.h>
#include <stddef.h>

#define GUEST_MAKER_MAX MULTIBOOT2_MAX_MODULES

/*
 * Creates the guests that the modules describe, for CPUs like the record's. Returns their
 * number in created, which has room for GUEST_MAKER_MAX. Logs each invalid module in one
 * line, frees what it had and skips it. On the boot CPU, once.
 */
size_t guest_maker_create(const struct options *options, const struct cpu_record *record,
                          struct placement *cpus, struct vm **created);

/*
 * Brings a guest that is new or has ended to its initial state, with the current time.
 * Returns false, after logging the reason, on failure; the guest is then without memory
 * and without a CPU. On its first vCPU's CPU.
 */
bool guest_maker_prepare(struct vm *vm);

#endif
