/*
 * Readings of MSRs, and changes of CPUID, for records of processors of any vendor.
 */
#ifndef HYMIR_TESTS_READINGS_H
#define HYMIR_TESTS_READINGS_H

#include "unit.h"

#include "virt/record.h"

/* The value of an MSR that the processor does not have. */
#define NONE UINT64_MAX

static inline struct msr_reading reading_of(uint64_t value)
{
    if (value == NONE)
        return (struct msr_reading){.state = MSR_NOT_READ};
    return (struct msr_reading){.value = value, .state = MSR_READ};
}

static inline void set_vendor(struct cpu_record *record, const char *vendor)
{
    memcpy(&record->cpuid.leaf_0.ebx, vendor, 4);
    memcpy(&record->cpuid.leaf_0.edx, vendor + 4, 4);
    memcpy(&record->cpuid.leaf_0.ecx, vendor + 8, 4);
}

static inline void set_hypervisor(struct cpu_record *record, const char *name)
{
    record->cpuid.leaf_1.ecx |= (uint32_t)CPUID_1_ECX_HYPERVISOR;
    memcpy(&record->cpuid.leaf_hypervisor.ebx, name, 4);
    memcpy(&record->cpuid.leaf_hypervisor.ecx, name + 4, 4);
    memcpy(&record->cpuid.leaf_hypervisor.edx, name + 8, 4);
}

#endif
