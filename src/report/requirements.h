/*
 * What hypervisors demand, as one table; hypervisors.h judges by it.
 */
#ifndef HYMIR_REPORT_REQUIREMENTS_H
#define HYMIR_REPORT_REQUIREMENTS_H

#include "report/hypervisors.h"
#include "vmx/capability_rows.h"

enum condition {
    MAY_BE_1,   /* each of the bits: a control that can be set, a feature that is there */
    MAY_BE_0,   /* each of the bits: a control that can be cleared, a flag that is not set
                 */
    ANY_OF,     /* one of the bits */
    CPUID_BIT,  /* each of the bits, in the register at the offset */
    WRITE_BACK, /* the memory type for VMCSs */
    SAME_ON_ALL, /* the VMX MSRs of all CPUs */
    CPUID_LEAF,  /* CPUID has a leaf of that number, bits */
    LOCKED_ON,   /* firmware left IA32_FEATURE_CONTROL locked, with VMX */
    TWO_CPUS,
    RAM_8_GIB,
    VT_D,
    OWN_GUESTS, /* what Hymir's guests demand: vmx/vcpu_controls.h */
};

struct requirement {
    uint64_t bits;
    size_t offset;    /* of a register in struct cpuid_snapshot, for the next two */
    const char *name; /* CPUID_BIT: of the feature */
    enum hypervisor hypervisor;
    enum condition condition;
    enum capability_group group; /* of the bits */
    uint32_t only_with;          /* not 0: demanded only where CPUID has that bit */
};

extern const struct requirement requirements[];
extern const size_t requirement_count;

#endif
