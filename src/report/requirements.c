/* See requirements.h. docs/REFERENCES.md has the sources. */
#include "report/requirements.h"

#define CPUID(member) offsetof(struct cpuid_snapshot, member)

const struct requirement requirements[] = {
#define ONE(of, in, mask)                                                          \
    {                                                                              \
        .hypervisor = HYPERVISOR_##of, .condition = MAY_BE_1, .group = GROUP_##in, \
        .bits = (mask)                                                             \
    }
#define ZERO(of, in, mask)                                                         \
    {                                                                              \
        .hypervisor = HYPERVISOR_##of, .condition = MAY_BE_0, .group = GROUP_##in, \
        .bits = (mask)                                                             \
    }
#define ANY(of, in, mask)                                                        \
    {                                                                            \
        .hypervisor = HYPERVISOR_##of, .condition = ANY_OF, .group = GROUP_##in, \
        .bits = (mask)                                                           \
    }
#define HAS(of, member, bit, text)                                               \
    {                                                                            \
        .hypervisor = HYPERVISOR_##of, .condition = CPUID_BIT, .bits = BIT(bit), \
        .offset = CPUID(member), .name = (text)                                  \
    }
#define IF(of, member, bit, mask)                                                       \
    {                                                                                   \
        .hypervisor = HYPERVISOR_##of, .condition = MAY_BE_1, .group = GROUP_SECONDARY, \
        .bits = (mask), .offset = CPUID(member), .only_with = (uint32_t)BIT(bit)        \
    }
#define LEAF(of, number)                                                         \
    {                                                                            \
        .hypervisor = HYPERVISOR_##of, .condition = CPUID_LEAF, .bits = (number) \
    }
#define ALSO(of, what)                                     \
    {                                                      \
        .hypervisor = HYPERVISOR_##of, .condition = (what) \
    }
    ALSO(HYMIR, OWN_GUESTS),

    ONE(KVM, PIN_BASED, PIN_BASED_EXTERNAL_INTERRUPT_EXITING | PIN_BASED_NMI_EXITING),
    ONE(KVM, PRIMARY,
        PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_USE_TSC_OFFSETTING |
            PRIMARY_HLT_EXITING | PRIMARY_INVLPG_EXITING | PRIMARY_MWAIT_EXITING |
            PRIMARY_RDPMC_EXITING | PRIMARY_CR3_LOAD_EXITING | PRIMARY_CR3_STORE_EXITING |
            PRIMARY_CR8_LOAD_EXITING | PRIMARY_CR8_STORE_EXITING |
            PRIMARY_MOV_DR_EXITING | PRIMARY_UNCONDITIONAL_IO_EXITING |
            PRIMARY_MONITOR_EXITING),
    ONE(KVM, EXIT,
        EXIT_SAVE_DEBUG_CONTROLS | EXIT_HOST_ADDRESS_SPACE_SIZE |
            EXIT_ACKNOWLEDGE_INTERRUPT),
    ONE(KVM, ENTRY, ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_IA32E_MODE_GUEST),
    ZERO(KVM, BASIC, VMX_BASIC_ADDRESSES_32_BIT),
    ALSO(KVM, WRITE_BACK),
    ALSO(KVM, SAME_ON_ALL),

    HAS(XEN, leaf_80000001.edx, 29, "long mode"),
    ONE(XEN, PIN_BASED, PIN_BASED_EXTERNAL_INTERRUPT_EXITING | PIN_BASED_NMI_EXITING),
    ONE(XEN, PRIMARY,
        PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_USE_TSC_OFFSETTING |
            PRIMARY_HLT_EXITING | PRIMARY_INVLPG_EXITING | PRIMARY_MWAIT_EXITING |
            PRIMARY_RDTSC_EXITING | PRIMARY_CR3_LOAD_EXITING | PRIMARY_CR3_STORE_EXITING |
            PRIMARY_CR8_LOAD_EXITING | PRIMARY_CR8_STORE_EXITING |
            PRIMARY_MOV_DR_EXITING | PRIMARY_USE_IO_BITMAPS | PRIMARY_MONITOR_EXITING),
    ONE(XEN, EXIT, EXIT_HOST_ADDRESS_SPACE_SIZE | EXIT_ACKNOWLEDGE_INTERRUPT),
    ZERO(XEN, BASIC, VMX_BASIC_ADDRESSES_32_BIT),
    ALSO(XEN, WRITE_BACK),
    ALSO(XEN, SAME_ON_ALL),

    LEAF(HYPER_V, 4),
    HAS(HYPER_V, leaf_80000001.edx, 29, "long mode"),
    HAS(HYPER_V, leaf_80000001.edx, 20, "NX (execute disable)"),
    ONE(HYPER_V, SECONDARY, SECONDARY_ENABLE_EPT),

    HAS(ESXI, leaf_80000001.edx, 29, "long mode"),
    HAS(ESXI, leaf_80000001.edx, 20, "NX (execute disable)"),
    HAS(ESXI, leaf_1.ecx, 26, "XSAVE"),
    ALSO(ESXI, TWO_CPUS),
    ALSO(ESXI, RAM_8_GIB),

    ONE(VIRTUALBOX, PIN_BASED,
        PIN_BASED_EXTERNAL_INTERRUPT_EXITING | PIN_BASED_NMI_EXITING),
    ONE(VIRTUALBOX, PRIMARY,
        PRIMARY_USE_TSC_OFFSETTING | PRIMARY_HLT_EXITING | PRIMARY_MWAIT_EXITING |
            PRIMARY_RDPMC_EXITING | PRIMARY_UNCONDITIONAL_IO_EXITING |
            PRIMARY_MOV_DR_EXITING | PRIMARY_MONITOR_EXITING),
    ZERO(VIRTUALBOX, PRIMARY, PRIMARY_MOV_DR_EXITING),
    ONE(VIRTUALBOX, EXIT, EXIT_SAVE_DEBUG_CONTROLS | EXIT_HOST_ADDRESS_SPACE_SIZE),
    ONE(VIRTUALBOX, ENTRY, ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_IA32E_MODE_GUEST),

    ONE(BHYVE, BASIC, VMX_BASIC_INS_OUTS_INFORMATION),
    ONE(BHYVE, PIN_BASED,
        PIN_BASED_EXTERNAL_INTERRUPT_EXITING | PIN_BASED_NMI_EXITING |
            PIN_BASED_VIRTUAL_NMIS),
    ONE(BHYVE, PRIMARY,
        PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_MWAIT_EXITING |
            PRIMARY_CR8_LOAD_EXITING | PRIMARY_CR8_STORE_EXITING |
            PRIMARY_NMI_WINDOW_EXITING | PRIMARY_UNCONDITIONAL_IO_EXITING |
            PRIMARY_USE_MSR_BITMAPS | PRIMARY_MONITOR_EXITING |
            PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
    ZERO(BHYVE, PRIMARY,
         PRIMARY_CR3_LOAD_EXITING | PRIMARY_CR3_STORE_EXITING | PRIMARY_USE_IO_BITMAPS),
    ONE(BHYVE, SECONDARY, SECONDARY_ENABLE_EPT),
    ONE(BHYVE, EXIT,
        EXIT_SAVE_DEBUG_CONTROLS | EXIT_HOST_ADDRESS_SPACE_SIZE |
            EXIT_ACKNOWLEDGE_INTERRUPT | EXIT_SAVE_IA32_EFER | EXIT_LOAD_IA32_EFER),
    ONE(BHYVE, ENTRY, ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_IA32_EFER),
    ZERO(BHYVE, ENTRY, ENTRY_TO_SMM | ENTRY_DEACTIVATE_DUAL_MONITOR),
    ONE(BHYVE, EPT_VPID,
        EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK | EPT_CAP_INVEPT |
            EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL | VPID_CAP_INVVPID |
            VPID_CAP_INVVPID_ADDRESS | VPID_CAP_INVVPID_SINGLE | VPID_CAP_INVVPID_ALL |
            VPID_CAP_INVVPID_KEEP_GLOBAL),

    ALSO(JAILHOUSE, TWO_CPUS),
    ALSO(JAILHOUSE, LOCKED_ON),
    HAS(JAILHOUSE, leaf_80000001.edx, 29, "long mode"),
    ONE(JAILHOUSE, BASIC, VMX_BASIC_TRUE_CONTROLS),
    ALSO(JAILHOUSE, WRITE_BACK),
    ONE(JAILHOUSE, PIN_BASED,
        PIN_BASED_NMI_EXITING | PIN_BASED_ACTIVATE_PREEMPTION_TIMER),
    ONE(JAILHOUSE, PRIMARY,
        PRIMARY_USE_IO_BITMAPS | PRIMARY_USE_MSR_BITMAPS |
            PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
    ZERO(JAILHOUSE, PRIMARY, PRIMARY_CR3_LOAD_EXITING | PRIMARY_CR3_STORE_EXITING),
    ONE(JAILHOUSE, SECONDARY,
        SECONDARY_VIRTUALIZE_APIC_ACCESSES | SECONDARY_ENABLE_EPT |
            SECONDARY_UNRESTRICTED_GUEST),
    IF(JAILHOUSE, leaf_80000001.edx, 27, SECONDARY_ENABLE_RDTSCP),
    IF(JAILHOUSE, leaf_7.ebx, 10, SECONDARY_ENABLE_INVPCID),
    IF(JAILHOUSE, leaf_7.ecx, 5, SECONDARY_ENABLE_USER_WAIT_PAUSE),
    ONE(JAILHOUSE, EPT_VPID, EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK | EPT_CAP_INVEPT),
    ANY(JAILHOUSE, EPT_VPID, EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL),
    ONE(JAILHOUSE, EXIT,
        EXIT_SAVE_IA32_PAT | EXIT_LOAD_IA32_PAT | EXIT_SAVE_IA32_EFER |
            EXIT_LOAD_IA32_EFER),
    ONE(JAILHOUSE, ENTRY, ENTRY_LOAD_IA32_PAT | ENTRY_LOAD_IA32_EFER),
    ONE(JAILHOUSE, MISC, VMX_MISC_ACTIVITY_HLT),
    ALSO(JAILHOUSE, VT_D),

    LEAF(ACRN, 0x15),
    HAS(ACRN, leaf_80000001.edx, 29, "long mode"),
    HAS(ACRN, leaf_80000001.edx, 20, "NX (execute disable)"),
    HAS(ACRN, leaf_1.edx, 12, "MTRR"),
    HAS(ACRN, leaf_1.edx, 25, "SSE"),
    HAS(ACRN, leaf_1.ecx, 21, "x2APIC"),
    HAS(ACRN, leaf_1.ecx, 23, "POPCNT"),
    HAS(ACRN, leaf_1.ecx, 24, "TSC deadline"),
    HAS(ACRN, leaf_1.ecx, 30, "RDRAND"),
    HAS(ACRN, leaf_7.ebx, 7, "SMEP"),
    HAS(ACRN, leaf_7.ebx, 9, "ERMS"),
    HAS(ACRN, leaf_7.ebx, 20, "SMAP"),
    HAS(ACRN, leaf_7.ebx, 23, "CLFLUSHOPT"),
    HAS(ACRN, leaf_80000007.edx, 8, "invariant TSC"),
    ONE(ACRN, PIN_BASED, PIN_BASED_EXTERNAL_INTERRUPT_EXITING),
    ONE(ACRN, PRIMARY,
        PRIMARY_USE_TSC_OFFSETTING | PRIMARY_HLT_EXITING | PRIMARY_USE_TPR_SHADOW |
            PRIMARY_USE_IO_BITMAPS | PRIMARY_USE_MSR_BITMAPS |
            PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
    ONE(ACRN, SECONDARY,
        SECONDARY_VIRTUALIZE_APIC_ACCESSES | SECONDARY_ENABLE_EPT |
            SECONDARY_ENABLE_RDTSCP | SECONDARY_VIRTUALIZE_X2APIC_MODE |
            SECONDARY_ENABLE_VPID | SECONDARY_UNRESTRICTED_GUEST),
    ONE(ACRN, EXIT,
        EXIT_HOST_ADDRESS_SPACE_SIZE | EXIT_ACKNOWLEDGE_INTERRUPT | EXIT_SAVE_IA32_PAT |
            EXIT_LOAD_IA32_PAT),
    ONE(ACRN, ENTRY, ENTRY_IA32E_MODE_GUEST | ENTRY_LOAD_IA32_PAT),
    /* Each of these is wanted both ways. */
    ZERO(ACRN, PIN_BASED, PIN_BASED_EXTERNAL_INTERRUPT_EXITING),
    ZERO(ACRN, PRIMARY,
         PRIMARY_USE_TSC_OFFSETTING | PRIMARY_HLT_EXITING | PRIMARY_USE_TPR_SHADOW |
             PRIMARY_USE_IO_BITMAPS | PRIMARY_USE_MSR_BITMAPS |
             PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
    ZERO(ACRN, SECONDARY,
         SECONDARY_VIRTUALIZE_APIC_ACCESSES | SECONDARY_ENABLE_EPT |
             SECONDARY_ENABLE_RDTSCP | SECONDARY_ENABLE_VPID |
             SECONDARY_UNRESTRICTED_GUEST),
    ZERO(ACRN, EXIT,
         EXIT_HOST_ADDRESS_SPACE_SIZE | EXIT_ACKNOWLEDGE_INTERRUPT | EXIT_SAVE_IA32_PAT |
             EXIT_LOAD_IA32_PAT),
    ZERO(ACRN, ENTRY, ENTRY_IA32E_MODE_GUEST | ENTRY_LOAD_IA32_PAT),
    ONE(ACRN, EPT_VPID,
        EPT_CAP_INVEPT | EPT_CAP_PAGES_2_MIB | VPID_CAP_INVVPID |
            VPID_CAP_INVVPID_SINGLE | VPID_CAP_INVVPID_ALL),
    ONE(ACRN, MISC, VMX_MISC_SAVES_EFER_LMA),
    ZERO(ACRN, BASIC, VMX_BASIC_ADDRESSES_32_BIT),
    ALSO(ACRN, VT_D),

    ALSO(NOVA, LOCKED_ON),
    HAS(NOVA, leaf_80000001.edx, 29, "long mode"),
    HAS(NOVA, leaf_80000001.edx, 20, "NX (execute disable)"),
    ONE(NOVA, PRIMARY, PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
    ONE(NOVA, SECONDARY, SECONDARY_ENABLE_EPT | SECONDARY_UNRESTRICTED_GUEST),
    ONE(NOVA, EPT_VPID, EPT_CAP_INVEPT),
#undef ONE
#undef ZERO
#undef ANY
#undef HAS
#undef IF
#undef LEAF
#undef ALSO
};
const size_t requirement_count = ARRAY_SIZE(requirements);
