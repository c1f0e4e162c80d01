/* See threads.h. */
#include "virt/threads.h"

unsigned int threads_bits_of(uint32_t count)
{
    unsigned int bits = 0;

    while (BIT(bits) < count)
        bits++;
    return bits;
}

/* Returns the thread bits of a processor without leaf 0BH. */
static unsigned int older_thread_bits(uint32_t last_basic, cpuid_reader *read)
{
    struct cpuid_result features = read(CPUID_LEAF_FEATURES, 0);

    if (read(CPUID_LEAF_EXTENDED, 0).eax >= CPUID_LEAF_PROCESSOR_TOPOLOGY &&
        (read(CPUID_LEAF_EXTENDED_FEATURES, 0).ecx & CPUID_80000001_ECX_TOPOLOGY) != 0)
        return threads_bits_of(
            CPUID_8000001E_EBX_THREADS(read(CPUID_LEAF_PROCESSOR_TOPOLOGY, 0).ebx) + 1);
    if ((features.edx & CPUID_1_EDX_HTT) == 0 || last_basic < CPUID_LEAF_CACHES)
        return 0;
    uint32_t caches = read(CPUID_LEAF_CACHES, 0).eax;
    if ((caches & CPUID_4_EAX_TYPE) == 0)
        return 0;
    unsigned int package = threads_bits_of(CPUID_1_EBX_COUNT(features.ebx));
    unsigned int cores   = threads_bits_of(CPUID_4_EAX_CORES(caches) + 1);
    return package > cores ? package - cores : 0;
}

unsigned int threads_id_bits(cpuid_reader *read)
{
    uint32_t last_basic = read(CPUID_LEAF_BASIC, 0).eax;

    if (last_basic >= CPUID_LEAF_TOPOLOGY) {
        struct cpuid_result level = read(CPUID_LEAF_TOPOLOGY, 0);
        if (level.ebx != 0 && (level.ecx & CPUID_B_ECX_TYPE) == CPUID_B_ECX_THREADS)
            return CPUID_B_EAX_SHIFT(level.eax);
    }
    return older_thread_bits(last_basic, read);
}
