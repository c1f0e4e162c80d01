/* See hypervisors.h. */
#include "report/hypervisors.h"

#include "lib/string.h"
#include "vmx/capability_rows.h"
#include "vmx/comparison.h"
#include "vmx/vcpu_controls.h"

#define MIB(n) ((uint64_t)(n) << 20)

/* Firmware keeps some of it: 8 GiB of memory modules are somewhat less here. */
#define ESXI_LEAST_RAM MIB(7680)
#define CPUID(member)  offsetof(struct cpuid_snapshot, member)

enum condition {
    MAY_BE_1,   /* each of the bits: a control that can be set, a feature that is there */
    MAY_BE_0,   /* each of the bits: a control that can be cleared, a flag that is not set
                 */
    ANY_OF,     /* one of the bits */
    CPUID_BIT,  /* each of the bits, in the register at the offset */
    WRITE_BACK, /* the memory type for VMCSs */
    SAME_ON_ALL, /* the VMX MSRs of all CPUs */
    TWO_CPUS,
    RAM_8_GIB,
    VT_D,
    OWN_GUESTS, /* what Hymir's guests demand: vmx/vcpu_controls.h */
};

static const struct requirement {
    enum hypervisor hypervisor;
    enum condition condition;
    enum capability_group group; /* of the bits */
    uint64_t bits;
    size_t offset;    /* CPUID_BIT: of the register in struct cpuid_snapshot */
    const char *name; /* CPUID_BIT: of the feature */
} requirements[] = {
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
    ONE(JAILHOUSE, EPT_VPID, EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK | EPT_CAP_INVEPT),
    ANY(JAILHOUSE, EPT_VPID, EPT_CAP_INVEPT_SINGLE | EPT_CAP_INVEPT_ALL),
    ONE(JAILHOUSE, EXIT,
        EXIT_SAVE_IA32_PAT | EXIT_LOAD_IA32_PAT | EXIT_SAVE_IA32_EFER |
            EXIT_LOAD_IA32_EFER),
    ONE(JAILHOUSE, ENTRY, ENTRY_LOAD_IA32_PAT | ENTRY_LOAD_IA32_EFER),
    ONE(JAILHOUSE, MISC, VMX_MISC_ACTIVITY_HLT),
    ALSO(JAILHOUSE, VT_D),

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
    ONE(ACRN, EPT_VPID,
        EPT_CAP_INVEPT | EPT_CAP_PAGES_2_MIB | VPID_CAP_INVVPID |
            VPID_CAP_INVVPID_SINGLE | VPID_CAP_INVVPID_ALL),
    ONE(ACRN, MISC, VMX_MISC_SAVES_EFER_LMA),
    ZERO(ACRN, BASIC, VMX_BASIC_ADDRESSES_32_BIT),
    ALSO(ACRN, VT_D),

    HAS(NOVA, leaf_80000001.edx, 29, "long mode"),
    HAS(NOVA, leaf_80000001.edx, 20, "NX (execute disable)"),
    ONE(NOVA, PRIMARY, PRIMARY_ACTIVATE_SECONDARY_CONTROLS),
    ONE(NOVA, SECONDARY, SECONDARY_ENABLE_EPT | SECONDARY_UNRESTRICTED_GUEST),
    ONE(NOVA, EPT_VPID, EPT_CAP_INVEPT),
#undef ONE
#undef ZERO
#undef ANY
#undef HAS
#undef ALSO
};

static const struct {
    const char *name, *source;
} hypervisors[HYPERVISOR_COUNT] = {
    [HYPERVISOR_HYMIR] = {"Hymir's guests", "src/vmx/vcpu_controls.c"},
    [HYPERVISOR_KVM]   = {"KVM", "Linux 6.x, arch/x86/kvm/vmx/vmx.c setup_vmcs_config()"},
    [HYPERVISOR_XEN]   = {"Xen HVM",
                          "Xen 4.20, xen/arch/x86/hvm/vmx/vmcs.c vmx_init_vmcs_config()"},
    [HYPERVISOR_HYPER_V] =
        {"Hyper-V",
         "Microsoft, System requirements for Hyper-V on Windows and Windows Server"},
    [HYPERVISOR_ESXI]       = {"ESXi 8", "VMware, ESXi 8.0 hardware requirements"},
    [HYPERVISOR_VIRTUALBOX] = {"VirtualBox 7",
                               "VirtualBox 7.2, VMMR0/HMVMXR0.cpp hmR0VmxSetupVmcs*()"},
    [HYPERVISOR_BHYVE] =
        {"bhyve", "FreeBSD, sys/amd64/vmm/intel/vmx.c vmx_modinit(), ept.c ept_init()"},
    [HYPERVISOR_JAILHOUSE] =
        {"Jailhouse", "Jailhouse, hypervisor/arch/x86/vmx.c vmx_check_features()"},
    [HYPERVISOR_ACRN] =
        {"ACRN", "ACRN 3.4, hypervisor/arch/x86/cpu_caps.c detect_hardware_support()"},
    [HYPERVISOR_NOVA] = {"NOVA", "NOVA, src/x86_64/vmx.cpp Vmcs::init()"},
};

const char *hypervisor_name(enum hypervisor hypervisor)
{
    return hypervisors[hypervisor].name;
}

const char *hypervisor_source(enum hypervisor hypervisor)
{
    return hypervisors[hypervisor].source;
}

void hypervisor_ask(const struct report_facts *facts,
                    struct hypervisor_question *question)
{
    *question = (struct hypervisor_question){.facts = facts};
    (void)comparison_usable(facts->records, facts->count, &question->usable);
}

/* Where the names of what is missing go. */
struct missing {
    hypervisor_visit *visit;
    void *context;
};

static void tell(const struct missing *missing, const char *name)
{
    missing->visit(name, missing->context);
}

/* Names each bit of a group that is missing, with a word in front of it. */
static void tell_bits(const struct missing *missing, enum capability_group group,
                      uint64_t bits, const char *word)
{
    for (; bits != 0; bits &= bits - 1) {
        TEXT_DECLARE(name, 96);
        text_append(&name, "%s\"%s\" (%s)", word, capability_name(group, bits & -bits),
                    capability_group_facts(group)->singular);
        tell(missing, name.buffer);
    }
}

static bool are_vmx_msrs_alike(const struct report_facts *facts)
{
    for (size_t row = 0; row < comparison_count(); row++) {
        if (comparison_is_vmx(row) &&
            comparison_differs(row, facts->records, facts->count))
            return false;
    }
    return true;
}

/* The bits of the requirement that are not as it wants them. */
static uint64_t wrong_bits(const struct requirement *requirement,
                           const struct hypervisor_question *question)
{
    struct capability_bits bits =
        capability_bits_of(&question->usable, requirement->group);
    bool has_settings = capability_group_facts(requirement->group)->has_settings;

    switch (requirement->condition) {
    case MAY_BE_1:
        return requirement->bits & ~bits.may_be_1;
    case MAY_BE_0:
        return requirement->bits & (has_settings ? bits.must_be_1 : bits.may_be_1);
    case ANY_OF:
        return (requirement->bits & bits.may_be_1) != 0 ? 0 : requirement->bits;
    case CPUID_BIT:
    case WRITE_BACK:
    case SAME_ON_ALL:
    case TWO_CPUS:
    case RAM_8_GIB:
    case VT_D:
    case OWN_GUESTS:
        break;
    }
    return 0;
}

/* True if all CPUs have the bit of CPUID. */
static bool has_cpuid_bit(const struct requirement *requirement,
                          const struct report_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        const char *cpuid = (const char *)&facts->records[i].before.cpuid;
        if (facts->records[i].answer == CPU_ANSWERED &&
            (*(const uint32_t *)(cpuid + requirement->offset) & requirement->bits) == 0)
            return false;
    }
    return true;
}

/* NULL if it is met, else what is missing. */
static const char *missing_thing(const struct requirement *requirement,
                                 const struct hypervisor_question *question)
{
    const struct report_facts *facts = question->facts;
    uint64_t basic = vmx_capability_value(&question->usable, MSR_IA32_VMX_BASIC);

    switch (requirement->condition) {
    case CPUID_BIT:
        return has_cpuid_bit(requirement, facts) ? NULL : requirement->name;
    case WRITE_BACK:
        return VMX_BASIC_MEMORY_TYPE(basic) == VMX_MEMORY_TYPE_WRITE_BACK
                   ? NULL
                   : "write-back VMCSs";
    case SAME_ON_ALL:
        return are_vmx_msrs_alike(facts) ? NULL : "the same VMX MSRs on all CPUs";
    case TWO_CPUS:
        return facts->count >= 2 ? NULL : "a second CPU";
    case RAM_8_GIB:
        return facts->ram_bytes >= ESXI_LEAST_RAM ? NULL : "8 GiB of memory";
    case VT_D:
        return facts->has_vt_d ? NULL : "VT-d (an ACPI table DMAR)";
    case MAY_BE_1:
    case MAY_BE_0:
    case ANY_OF:
    case OWN_GUESTS:
        break;
    }
    return NULL;
}

/* What Hymir's own guests demand is named there where it is chosen. */
static bool can_own_guests_run(const struct hypervisor_question *question,
                               const struct missing *missing)
{
    struct vcpu_controls controls;
    TEXT_DECLARE(names, 512);

    if (vcpu_controls_fit(&question->usable, &controls, &names) == STATUS_OK)
        return true;
    tell(missing, names.buffer);
    return false;
}

static bool is_met(const struct requirement *requirement,
                   const struct hypervisor_question *question,
                   const struct missing *missing)
{
    if (requirement->condition == OWN_GUESTS)
        return can_own_guests_run(question, missing);
    uint64_t wrong    = wrong_bits(requirement, question);
    const char *word  = requirement->condition == MAY_BE_0 ? "0 for "
                        : requirement->condition == ANY_OF ? "one of "
                                                           : "";
    const char *thing = missing_thing(requirement, question);
    if (thing != NULL)
        tell(missing, thing);
    tell_bits(missing, requirement->group, wrong, word);
    return thing == NULL && wrong == 0;
}

bool hypervisor_can_run(enum hypervisor hypervisor,
                        const struct hypervisor_question *question,
                        hypervisor_visit *visit, void *context)
{
    const struct missing missing = {.visit = visit, .context = context};
    bool can_run                 = question->facts->verdict == VERDICT_READY;

    if (!can_run) {
        tell(&missing, "VT-x that works: see the verdict");
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(requirements); i++) {
        if (requirements[i].hypervisor == hypervisor)
            can_run &= is_met(&requirements[i], question, &missing);
    }
    return can_run;
}
