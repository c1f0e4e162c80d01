/* selftest=absent-cpu@ID: adds an absent CPU to the list of CPUs. */
#include "selftest.h"

#include "lib/log.h"
#include "lib/test_hooks.h"

size_t test_hook_list_cpus(uint32_t *apic_ids, size_t count, size_t limit)
{
    if (selftest.kind != SELFTEST_ABSENT_CPU)
        return count;
    for (size_t i = 0; i < count; i++) {
        if (apic_ids[i] == selftest.cpu) {
            log_warning("selftest: the machine has a CPU with APIC ID %u; use another, "
                        "as in selftest=absent-cpu@254",
                        selftest.cpu);
            return count;
        }
    }
    if (count < limit)
        apic_ids[count++] = selftest.cpu;
    return count;
}
