/*
 * The CPUID of a vCPU: only features that Hymir supports, and the guest's topology.
 *
 * Tables of rows, each a leaf with the bits that a guest sees; a leaf without a row is
 * all zero. The architectural rows are here, the vendor's come from the backend. The
 * answers are computed when the VM is created, so that a VM exit only looks one up; those
 * that depend on the vCPU's state (OSXSAVE, OSPKE, the size of its XSAVE area) are
 * completed then. Pure.
 */
#ifndef HYMIR_GUEST_CPUID_POLICY_H
#define HYMIR_GUEST_CPUID_POLICY_H

#include "guest/topology.h"
#include "virt/vendor_policy.h"
#include "x86/control_registers.h"

#include <stdbool.h>
#include <stdint.h>

/* The numbers of leaves that a guest may have, besides the basic ones. */
#define CPUID_EXTENDED_LEAVES   (CPUID_LEAF_EXTENDED_FEATURES_2 - CPUID_LEAF_EXTENDED + 1)
#define CPUID_HYPERVISOR_LEAVES 2

/* What the answers of a guest's vCPUs are computed from. */
struct cpuid_setup {
    const struct vendor_cpuid *vendor;
    cpuid_source *read;
    uint64_t tsc_hz; /* the TSC's frequency if it is known exactly, otherwise 0 */
    const struct guest_topology *topology;
    bool has_pv; /* KVM's signature too, from leaf 40000100H on */
};

/* The answers for subleaf 0. */
struct cpuid_answers {
    struct cpuid_result basic[CPUID_BASIC_LEAVES];
    struct cpuid_result extended[CPUID_EXTENDED_LEAVES];
    struct cpuid_result hypervisor[CPUID_HYPERVISOR_LEAVES];
    struct cpuid_result kvm[CPUID_HYPERVISOR_LEAVES];
    struct cpuid_result out_of_range;
    struct cpuid_result speculation;    /* subleaf 2 of leaf 7 */
    uint64_t spec_ctrl, virt_spec_ctrl; /* the bits of these MSRs that they report */
    uint32_t last_basic, last_extended;
    const struct cpuid_result *plain[CPUID_BASIC_LEAVES]; /* NULL: not always the same */
    struct cpuid_result features[2]; /* leaf 1 without and with CR4.OSXSAVE */
    uint32_t apic_id;
    struct cpuid_setup setup;
};

/* The state of the vCPU that answers depend on. */
struct cpuid_state {
    uint64_t cr4, xcr0;
};

/* Computes the answers of the vCPU with that index in the topology, without APIC. */
void cpuid_policy_init(struct cpuid_answers *answers, const struct cpuid_setup *setup,
                       size_t index);

/* Changes the answers as the vCPU's APIC is enabled or disabled: IA32_APIC_BASE.EN. */
void cpuid_policy_set_apic(struct cpuid_answers *answers, bool is_enabled);

/* Returns whether they report IA32_ARCH_CAPABILITIES. */
static inline bool cpuid_policy_has_capabilities(const struct cpuid_answers *answers)
{
    return (answers->basic[CPUID_LEAF_STRUCTURED_FEATURES].edx &
            CPUID_7_EDX_ARCH_CAPABILITIES) != 0;
}

/* Returns the values of a leaf that are always the same, or NULL. Inline for VM exits. */
static inline const struct cpuid_result *
cpuid_policy_find(const struct cpuid_answers *answers, uint32_t leaf)
{
    if (leaf < CPUID_BASIC_LEAVES)
        return answers->plain[leaf % CPUID_BASIC_LEAVES]; /* as clamp_index, but faster */
    if (leaf - CPUID_LEAF_HYPERVISOR < CPUID_HYPERVISOR_LEAVES)
        return &answers->hypervisor[leaf % CPUID_HYPERVISOR_LEAVES];
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
