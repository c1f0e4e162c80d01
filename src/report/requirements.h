/*
 * Tables of the requirements of hypervisors, each with its source and the machines to
 * which it applies. hypervisors.h evaluates them; docs/REFERENCES.md lists the sources.
 */
#ifndef HYMIR_REPORT_REQUIREMENTS_H
#define HYMIR_REPORT_REQUIREMENTS_H

#include <stddef.h>
#include <stdint.h>

/* Each hypervisor: its HYPERVISOR_ constant, its name, the version that was examined. */
#define HYPERVISORS(X)                                     \
    X(HYMIR, "Hymir's guests", "of this version")          \
    X(KVM, "KVM", "Linux 6.16")                            \
    X(XEN, "Xen HVM", "Xen 4.20")                          \
    X(HYPER_V, "Hyper-V", "Windows Server 2016 and later") \
    X(ESXI, "ESXi 8", "VMware ESXi 8.0")                   \
    X(VIRTUALBOX, "VirtualBox 7", "VirtualBox 7.2")        \
    X(BHYVE, "bhyve", "FreeBSD 14 and 15")                 \
    X(JAILHOUSE, "Jailhouse", "Jailhouse of January 2023") \
    X(ACRN, "ACRN", "ACRN 3.4")                            \
    X(NOVA, "NOVA", "NOVA of January 2024")

#define HYPERVISOR_ID(id, ...) HYPERVISOR_##id,
enum hypervisor { HYPERVISORS(HYPERVISOR_ID) HYPERVISOR_COUNT };

extern const struct hypervisor_facts {
    const char *name, *version;
} hypervisors[HYPERVISOR_COUNT];

/* The values that a condition tests; condition_tally relies on their order. */
enum reading {
    READ_NOTHING, /* unknown */
    READ_CPUS,    /* the number of CPUs */
    READ_RAM,     /* bytes */
    READ_DMAR,    /* 1 if ACPI has a valid DMAR */
    READ_IVRS,    /* 1 if ACPI has a valid IVRS */
    /* Of each CPU: */
    READ_CPUID,  /* the register at offset `where` in struct cpuid_snapshot */
    READ_MSR,    /* the MSR number `where` */
    READ_WORD,   /* BIT(its verdict) */
    READ_GUESTS, /* of a CPU that is READY: 1 if it lacks nothing that guests need */
    READ_IN_USE, /* the bits of the VMX MSR `where` that software with this mask sets or,
                    if the MSR reports no controls, reads: struct drop */
    /* Of each VT-d unit: */
    READ_UNIT,         /* the register at offset `where` in struct iommu_unit */
    READ_UNIT_WIDTH,   /* the capability bit of the smallest address width */
    READ_UNIT_ANSWERS, /* 1 if it does; 0 if there are no units */
    /* Of each AMD-Vi unit: */
    READ_AMD_VI_UNIT, /* as READ_UNIT */
    READ_AMD_VI_ANSWERS,
    /* Of the VMX capabilities that all CPUs share: */
    READ_MAY_BE_1,   /* the bits of group `where` that may be 1 */
    READ_MUST_BE_1,  /* ... and those that must be */
    READ_VCPU_ONES,  /* READ_MAY_BE_1, for the bits that Hymir's vCPUs need as 1 */
    READ_VCPU_ZEROS, /* READ_MUST_BE_1, for those that they need as 0 */
    READ_PAIR,       /* the VM-entry control of the mask, if it and the VM-exit control
                        `where` are both or neither supported */
};

/* Of which CPUs or units a condition must hold, and what they must have in common. */
enum agreement {
    AGREEMENT_NONE,     /* it holds for each */
    AGREEMENT_ANY,      /* it holds for at least one */
    AGREEMENT_SAME,     /* it holds for each, and all values are the same */
    AGREEMENT_AS_FIRST, /* it holds for each, and each has the bits of the first */
};

/* Holds for a value if (value & mask) is in the range, which may wrap around at 0. */
struct condition {
    enum reading reading;
    uint32_t where; /* a parameter of the reading */
    uint64_t mask, first, last;
    enum agreement agreement;
    const struct drop *drops; /* of READ_IN_USE: up to one whose MSR is 0; or NULL */
};

/* Bits of a VMX MSR that software does not use on a CPU, unless a condition holds. */
struct drop {
    uint32_t msr;
    uint64_t bits;
    struct condition unless; /* READ_CPUID or READ_MSR */
};

/* What a requirement depends on: a condition that holds for at least one value. */
struct premise {
    const char *words; /* empty if the requirement's name implies it */
    struct condition condition;
};

struct requirement {
    struct condition condition;
    const char *name; /* NULL: the bits of the mask, named by their group, are one
                         requirement or, if the range is a single value, one each */
    const char *kind; /* of the name; empty if the name implies it */
    const struct premise *premise; /* NULL: applies to all machines */
};

/* A function or a document. */
struct requirement_source {
    enum hypervisor hypervisor;
    const char *name; /* a file and a function, or a title */
    const struct requirement *requirements;
    size_t count;
};

/* The sources that apply to machines with a technology. */
struct requirement_table {
    const char *technology; /* the name of its struct virtualization; NULL: any */
    const struct requirement_source *sources;
    size_t count;
};
extern const struct requirement_table requirement_table; /* for any */
extern const struct requirement_table vt_x_requirement_table, amd_v_requirement_table;

#define REQUIREMENT_TABLES 3
extern const struct requirement_table *const requirement_tables[REQUIREMENT_TABLES];

#endif
