/*
 * How the vCPUs of a guest share cores: their APIC IDs and what its CPUID reports.
 *
 * A guest has one package. Two vCPUs are threads of one core if their CPUs are, so that
 * the guest's scheduler can keep apart what must not share a core. Pure. SDM 3A,
 * "Detecting Hardware Multi-Threading Support and Topology"; APM 3, "Multiple Core
 * Processor Topology" and "Extended Processor Signature and Feature".
 */
#ifndef HYMIR_GUEST_TOPOLOGY_H
#define HYMIR_GUEST_TOPOLOGY_H

#include "x86/cpuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_CPUS_MAX 64

/* Returns the processor's CPUID. */
typedef struct cpuid_result cpuid_source(uint32_t leaf, uint32_t subleaf);

struct guest_topology {
    size_t count;
    uint32_t apic_id[GUEST_CPUS_MAX]; /* of each vCPU: 0 of the first, at most 254 */
    uint32_t cores, threads;          /* threads of a core, at most */
    uint32_t processors;              /* cores * threads */

    /* The low bits of an APIC ID: the thread's, and all that differ in the package. */
    unsigned int thread_bits, package_bits;
    unsigned int host_thread_bits; /* of the APIC IDs of the machine's CPUs */
};

/*
 * Gives count vCPUs, 1 to GUEST_CPUS_MAX, their APIC IDs: host_ids has those of their
 * CPUs. Without vCPUs that share a core, they are 0, 1, 2...
 */
void topology_init(struct guest_topology *topology, const uint32_t host_ids[],
                   size_t count, unsigned int host_thread_bits);

/* Answers leaves 0BH and 1FH for the vCPU with that APIC ID. */
struct cpuid_result topology_level(const struct guest_topology *topology,
                                   uint32_t apic_id, uint32_t subleaf);

/*
 * Returns the same fields of a cache's EAX, of leaf 04H or 8000001DH, as the guest sees
 * them: a cache that the machine shares between cores is shared by all vCPUs. Leaf 04H
 * has the number of cores too.
 */
uint32_t topology_cache(const struct guest_topology *topology, uint32_t eax,
                        bool has_cores);

#endif
