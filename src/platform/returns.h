/*
 * The choice between shadow stacks and retpolines, and the memory of the former.
 */
#ifndef HYMIR_PLATFORM_RETURNS_H
#define HYMIR_PLATFORM_RETURNS_H

#include "cpu/percpu.h"
#include "lib/options.h"

#include <stdbool.h>

/*
 * Chooses shadow stacks if the boot CPU is to have them, and then replaces the
 * retpolines. Call on the boot CPU, before address_space_build makes code read-only.
 */
void returns_choose(const struct options *options);

/* Returns whether they were chosen. */
bool returns_has_shadow_stacks(void);

/*
 * If they were chosen, allocates the shadow stacks of a CPU, which shadow_stack_enable
 * has it use; logs a warning if there is no memory. Call before the CPU starts.
 */
void returns_protect(struct cpu *cpu);

#endif
