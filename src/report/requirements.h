/*
 * What hypervisors demand, as tables: of each thing where it is demanded, and of what
 * machines. hypervisors.h judges by them. docs/REFERENCES.md says what was read.
 */
#ifndef HYMIR_REPORT_REQUIREMENTS_H
#define HYMIR_REPORT_REQUIREMENTS_H

#include "report/hypervisors.h"
#include "x86/vmx_capabilities.h"

enum condition {
    VMX_WORKS,       /* the verdict */
    LOCKED_ON,       /* firmware left IA32_FEATURE_CONTROL locked, with VMX */
    NOT_LOCKED_OFF,  /* or unlocked */
    TO_BE_LOOKED_UP, /* nothing that a machine tells */
    MAY_BE_1,        /* each of the bits: a control that can be set, a feature */
    MAY_BE_0,        /* each of the bits: a control that can be cleared, a flag not set */
    ANY_OF,          /* one of the bits */
    BOTH_OR_NEITHER, /* the bit of VM entry, and its partner of VM exit, may be 1 */
    OWN_CONTROLS,    /* those of the group that vmx/vcpu_controls.h says */
    WRITE_BACK,      /* the memory type for VMCSs */
    REGION_4_KIB,    /* the size of a VMCS, at the most */
    SAME_PROCESSOR,  /* family, model and stepping of all CPUs */
    SAME_ON_ALL,     /* the VMX MSRs whose numbers, from the first on, are the bits */
    CPUID_BITS,      /* each of the bits, in the register at the offset */
    CPUID_LEAF,      /* CPUID has a leaf of that number, bits */
    FAST_STRINGS,    /* on in IA32_MISC_ENABLE */
    TWO_CPUS,
    RAM_8_GIB,
    VT_D_UNITS,   /* at least one, and all answer */
    VT_D_VERSION, /* at least that, as the register has it */
    VT_D_BITS,    /* each of the bits, in the register at the offset, of all units */
    VT_D_WIDTH,   /* 39 bits or, without them, 48, the same of all units */
};

/* What a machine is like of which something is demanded. */
enum premise {
    ALWAYS,
    CPU_HAS_RDTSCP,
    CPU_HAS_INVPCID,
    CPU_HAS_XSAVES,
    CPU_HAS_WAITPKG,
    EPT_IS_THERE,
    EPT_IS_MISSING,
    EPT_IS_NOT_FOR_KVM, /* which wants more of it */
    TPR_SHADOW_IS_MISSING,
    EPT_IS_DESCRIBED, /* in IA32_VMX_EPT_VPID_CAP */
    VPID_IS_DESCRIBED,
    ADDRESSES_ARE_WIDE, /* more than 39 bits */
    VT_D_IS_THERE,
};

struct premise_facts {
    const char *words; /* for a person; empty where it needs none */
    enum premise_test {
        TEST_NOTHING,
        TEST_CPUID, /* the bit of the register at the offset is set, on any CPU */
        TEST_ANY,   /* one of the bits of the group may be 1 */
        TEST_NONE,
        TEST_NOT_ALL,
        TEST_WIDTH, /* physical addresses have more bits than that, on any CPU */
        TEST_VT_D,
    } test;
    enum vmx_capability_group group;
    uint64_t bits;
    size_t offset;
};
extern const struct premise_facts premises[];

/* True if the machine is like that. */
bool premise_holds(enum premise premise, const struct hypervisor_question *question);

struct requirement {
    uint64_t bits;
    uint64_t partner; /* BOTH_OR_NEITHER: in the VM-exit controls */
    size_t offset;    /* in struct cpuid_snapshot or struct vt_d_unit */
    const char *name; /* CPUID_BITS, VT_D_BITS, TO_BE_LOOKED_UP: of what is wanted */
    enum requirement_source source;
    enum condition condition;
    enum vmx_capability_group group; /* of the bits */
    enum premise premise;
};
extern const struct requirement requirements[];
extern const size_t requirement_count;

/* Calls visit for each thing of the requirement, whose premise holds. */
void requirement_answer(const struct requirement *requirement,
                        const struct hypervisor_question *question,
                        requirement_visit *visit, void *context);

#endif
