/* See returns.h. */
#include "platform/returns.h"

#include "cpu/shadow_stack.h"
#include "cpu/thunks.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/machine.h"

static bool is_chosen;

void returns_choose(const struct options *options, uint64_t arch_capabilities,
                    bool are_aligned)
{
    is_chosen = !options->nocet &&
                shadow_stack_is_wanted(&machine_get()->cpuid, arch_capabilities,
                                       options->mitigations);
    if (test_hook_choose_returns != NULL)
        test_hook_choose_returns(&are_aligned, &is_chosen);
    if (is_chosen)
        thunks_replace_retpolines();
    if (!are_aligned)
        thunks_replace_returns();
}

bool returns_has_shadow_stacks(void)
{
    return is_chosen;
}

void returns_protect(struct cpu *cpu)
{
    void *memory;

    if (!is_chosen)
        return;
    if (memory_allocate(sizeof(struct shadow_stacks) / PAGE_SIZE, frames_above_1_mib,
                        &memory) == STATUS_OK) {
        shadow_stack_prepare(cpu, memory);
        if (address_space_map(hpa_of(memory).value, sizeof(struct shadow_stacks),
                              PAGE_SHADOW_STACK) == STATUS_OK)
            return;
    }
    cpu->main_ssp = 0;
    log_warning("apic %u: no memory for shadow stacks; returns are not checked",
                cpu->apic_id);
}
