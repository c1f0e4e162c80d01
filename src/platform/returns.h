/*
 * How Hymir's code returns and branches indirectly: the choice between shadow stacks and
 * retpolines, the memory of the former, and whether returns are aligned.
 */
#ifndef HYMIR_PLATFORM_RETURNS_H
#define HYMIR_PLATFORM_RETURNS_H

#include "cpu/percpu.h"
#include "lib/options.h"

#include <stdbool.h>

/*
 * Chooses shadow stacks if the boot CPU, with this IA32_ARCH_CAPABILITIES, is to have
 * them, and then replaces the retpolines; replaces the jumps to the aligned return unless
 * they are needed. Call on the boot CPU, before address_space_build makes code read-only.
 */
void returns_choose(const struct options *options, uint64_t arch_capabilities,
                    bool are_aligned);

/* Returns whether they were chosen. */
bool returns_has_shadow_stacks(void);

/*
 * If they were chosen, allocates the shadow stacks of a CPU, which shadow_stack_enable
 * has it use; logs a warning if there is no memory. Call before the CPU starts.
 */
void returns_protect(struct cpu *cpu);

#endif
