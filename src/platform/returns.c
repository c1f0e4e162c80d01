/* See returns.h. */
#include "platform/returns.h"

#include "cpu/shadow_stack.h"
#include "lib/log.h"
#include "mm/address_space.h"
#include "mm/memory.h"
#include "platform/machine.h"

static bool is_chosen;

static uint64_t read_arch_capabilities(const struct cpuid_snapshot *cpuid)
{
    uint64_t capabilities = 0;

    if ((cpuid->leaf_7.edx & CPUID_7_EDX_ARCH_CAPABILITIES) != 0)
        (void)rdmsr_safe(MSR_IA32_ARCH_CAPABILITIES, &capabilities);
    return capabilities;
}

void returns_choose(const struct options *options)
{
    const struct cpuid_snapshot *cpuid = &machine_get()->cpuid;

    is_chosen =
        !options->nocet && shadow_stack_is_wanted(cpuid, read_arch_capabilities(cpuid),
                                                  options->mitigations);
    if (is_chosen)
        indirect_thunks_use_jumps();
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
