/* See topology.h. */
#include "guest/topology.h"

#include "virt/threads.h"
#include "x86/apic.h"

/*
 * Returns the first vCPU on the core of the one with that index, if a core has that many
 * bits of its CPUs' IDs; *thread is the number of vCPUs on it before that one.
 */
static size_t find_first_on_core(const uint32_t host_ids[], size_t index,
                                 unsigned int bits, uint32_t *thread)
{
    size_t first = index;

    *thread = 0;
    for (size_t i = index; i-- > 0;) {
        if ((host_ids[i] ^ host_ids[index]) >> bits == 0) {
            first = i;
            (*thread)++;
        }
    }
    return first;
}

/* Counts the cores of the vCPUs, and the threads of one. */
static void count_cores(struct guest_topology *topology, const uint32_t host_ids[],
                        unsigned int bits)
{
    uint32_t thread;

    topology->cores = topology->threads = 0;
    for (size_t i = 0; i < topology->count; i++) {
        topology->cores += find_first_on_core(host_ids, i, bits, &thread) == i;
        if (thread >= topology->threads)
            topology->threads = thread + 1;
    }
    topology->processors   = topology->cores * topology->threads;
    topology->thread_bits  = threads_bits_of(topology->threads);
    topology->package_bits = topology->thread_bits + threads_bits_of(topology->cores);
}

/* Gives the vCPUs their IDs; returns the largest one. */
static uint32_t give_ids(struct guest_topology *topology, const uint32_t host_ids[],
                         unsigned int bits)
{
    uint32_t thread, core = 0, largest = 0;

    count_cores(topology, host_ids, bits);
    for (size_t i = 0; i < topology->count; i++) {
        size_t first         = find_first_on_core(host_ids, i, bits, &thread);
        uint32_t id          = first == i ? core++ << topology->thread_bits
                                          : topology->apic_id[first] + thread;
        topology->apic_id[i] = id;
        if (id > largest)
            largest = id;
    }
    return largest;
}

void topology_init(struct guest_topology *topology, const uint32_t host_ids[],
                   size_t count, unsigned int host_thread_bits)
{
    unsigned int bits = host_thread_bits;

    *topology =
        (struct guest_topology){.count = count, .host_thread_bits = host_thread_bits};
    /* More threads a core than processors have can need too many IDs: merge cores. */
    while (give_ids(topology, host_ids, bits) > XAPIC_MAX_ID)
        bits++;
}

struct cpuid_result topology_level(const struct guest_topology *topology,
                                   uint32_t apic_id, uint32_t subleaf)
{
    struct cpuid_result values = {.ecx = subleaf & CPUID_B_ECX_LEVEL, .edx = apic_id};

    if (subleaf == 0) {
        values.eax = topology->thread_bits;
        values.ebx = topology->threads;
        values.ecx |= CPUID_B_ECX_THREADS;
    } else if (subleaf == 1) {
        values.eax = topology->package_bits;
        values.ebx = topology->processors;
        values.ecx |= CPUID_B_ECX_CORES;
    }
    return values;
}

uint32_t topology_cache(const struct guest_topology *topology, uint32_t eax,
                        bool has_cores)
{
    bool is_of_core        = CPUID_4_EAX_SHARING(eax) >> topology->host_thread_bits == 0;
    unsigned int bits      = is_of_core ? topology->thread_bits : topology->package_bits;
    unsigned int core_bits = topology->package_bits - topology->thread_bits;

    eax = (eax & (uint32_t)CPUID_4_EAX_CACHE) | ((1U << bits) - 1)
                                                    << CPUID_4_EAX_SHARING_LOW;
    return has_cores ? eax | ((1U << core_bits) - 1) << CPUID_4_EAX_CORES_LOW : eax;
}
