/* The CPUID of a guest with one vCPU. */
#ifndef HYMIR_TESTS_GUEST_CPUID_H
#define HYMIR_TESTS_GUEST_CPUID_H

#include "guest/cpuid_policy.h"
#include "virt/threads.h"

static inline void guest_cpuid_init(struct cpuid_answers *answers,
                                    const struct vendor_cpuid *vendor, uint64_t tsc_hz,
                                    cpuid_source *read)
{
    static struct guest_topology topology;

    topology_init(&topology, (const uint32_t[]){0}, 1, threads_id_bits(read));
    cpuid_policy_init(answers,
                      &(struct cpuid_setup){.vendor   = vendor,
                                            .read     = read,
                                            .tsc_hz   = tsc_hz,
                                            .topology = &topology,
                                            .has_pv   = true},
                      0);
}

#endif
