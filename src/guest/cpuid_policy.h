/*
 * The CPUID of a guest: only features that Hymir supports.
 *
 * Tables of rows, each a leaf with the bits that a guest sees; a leaf without a row is
 * all zero. The architectural rows are here, the vendor's come from the backend. The
 * answers are computed when the VM is created, so that a VM exit only looks one up; those
 * that depend on the guest's state (OSXSAVE, OSPKE, the size of its XSAVE area) are
 * completed then. Pure.
 */
#ifndef HYMIR_GUEST_CPUID_POLICY_H
#define HYMIR_GUEST_CPUID_POLICY_H

#include "virt/vendor_policy.h"
#include "x86/control_registers.h"

#include <stdbool.h>
#include <stdint.h>

/* The numbers of leaves that a guest may have, besides the basic ones. */
#define CPUID_EXTENDED_LEAVES   (CPUID_LEAF_EXTENDED_FEATURES_2 - CPUID_LEAF_EXTENDED + 1)
#define CPUID_HYPERVISOR_LEAVES 2

/* Returns the processor's CPUID. */
typedef struct cpuid_result cpuid_source(uint32_t leaf, uint32_t subleaf);

/* The answers for subleaf 0. */
struct cpuid_answers {
    struct cpuid_result basic[CPUID_BASIC_LEAVES];
    struct cpuid_result extended[CPUID_EXTENDED_LEAVES];
    struct cpuid_result hypervisor[CPUID_HYPERVISOR_LEAVES];
    struct cpuid_result out_of_range;
    uint32_t last_basic, last_extended;
    const struct cpuid_result *plain[CPUID_BASIC_LEAVES]; /* NULL: not always the same */
    struct cpuid_result features[2]; /* leaf 1 without and with CR4.OSXSAVE */
    const struct vendor_cpuid *vendor;
    cpuid_source *read; /* for subleaves */
};

/* The state of the guest that answers depend on. */
struct cpuid_state {
    uint64_t cr4, xcr0;
};

/*
 * Computes the answers from the processor's CPUID; tsc_hz is the TSC's frequency if it is
 * known exactly, otherwise 0.
 */
void cpuid_policy_init(struct cpuid_answers *answers, const struct vendor_cpuid *vendor,
                       uint64_t tsc_hz, cpuid_source *read);

/* Returns the values of a leaf that are always the same, or NULL. Inline for VM exits. */
static inline const struct cpuid_result *
cpuid_policy_find(const struct cpuid_answers *answers, uint32_t leaf)
{
    if (leaf < CPUID_BASIC_LEAVES)
        return answers->plain[leaf];
    if (leaf - CPUID_LEAF_HYPERVISOR < CPUID_HYPERVISOR_LEAVES)
        return &answers->hypervisor[leaf - CPUID_LEAF_HYPERVISOR];
    return NULL;
}

/* Returns the values of leaf 1 with that CR4. */
static inline const struct cpuid_result *
cpuid_policy_features(const struct cpuid_answers *answers, uint64_t cr4)
{
    return &answers->features[(cr4 & CR4_OSXSAVE) != 0];
}

/* Answers a CPUID instruction. */
struct cpuid_result cpuid_policy_answer(const struct cpuid_answers *answers,
                                        uint32_t leaf, uint32_t subleaf,
                                        const struct cpuid_state *state);

#endif
