/*
 * What a guest's CPUID says: what Hymir can stand behind, and no more.
 *
 * A table of rows by leaf, each with the bits that are let through and those that are
 * added. The answers are made when the VM is, so that an exit only looks one up; what
 * depends on the guest's own state (OSXSAVE, the size of its XSAVE area) is put in then.
 * Pure.
 */
#ifndef HYMIR_GUEST_CPUID_POLICY_H
#define HYMIR_GUEST_CPUID_POLICY_H

#include "virt/backend.h"

#include <stdbool.h>
#include <stdint.h>

#define CPUID_BASIC_LEAVES      0x18
#define CPUID_EXTENDED_LEAVES   9
#define CPUID_HYPERVISOR_LEAVES 2
#define CPUID_HYPERVISOR_FIRST  0x40000000U

/* The answers, for subleaf 0. */
struct cpuid_answers {
    struct cpuid_values basic[CPUID_BASIC_LEAVES];
    struct cpuid_values extended[CPUID_EXTENDED_LEAVES];
    struct cpuid_values hypervisor[CPUID_HYPERVISOR_LEAVES];
    uint32_t last_basic, last_extended;
    const struct cpuid_values *plain[CPUID_BASIC_LEAVES]; /* NULL: not always the same */
};

typedef struct cpuid_values cpuid_source(uint32_t leaf, uint32_t subleaf);

/* What answers depend on of the guest's own state. */
struct cpuid_state {
    uint64_t cr4, xcr0;
};

/* Makes the answers out of what the processor says, whose TSC has tsc_hz. */
void cpuid_policy_make(struct cpuid_answers *answers, uint64_t tsc_hz,
                       cpuid_source *read);

/* Answers one CPUID; read is asked for what was not made before. */
struct cpuid_values cpuid_policy_answer(const struct cpuid_answers *answers,
                                        uint32_t leaf, uint32_t subleaf,
                                        const struct cpuid_state *state,
                                        cpuid_source *read);

#endif
