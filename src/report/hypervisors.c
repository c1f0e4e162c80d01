/* See hypervisors.h. */
#include "report/hypervisors.h"

#include "lib/string.h"
#include "report/requirements.h"
#include "vmx/comparison.h"
#include "vmx/feature_control.h"
#include "vmx/vcpu_controls.h"

#define MIB(n) ((uint64_t)(n) << 20)

/* Firmware keeps some of it: 8 GiB of memory modules are somewhat less here. */
#define ESXI_LEAST_RAM MIB(7680)

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
    case CPUID_LEAF:
    case LOCKED_ON:
    case TWO_CPUS:
    case RAM_8_GIB:
    case VT_D:
    case OWN_GUESTS:
        break;
    }
    return 0;
}

/* True if all CPUs have the bits in CPUID's register of the requirement. */
static bool has_cpuid_bits(const struct requirement *requirement, uint64_t bits,
                           const struct report_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        const char *cpuid = (const char *)&facts->records[i].before.cpuid;
        if (facts->records[i].answer == CPU_ANSWERED &&
            (*(const uint32_t *)(cpuid + requirement->offset) & bits) != bits)
            return false;
    }
    return true;
}

/* What these do not do themselves, and Hymir does only until the next reset. */
static bool is_locked_on(const struct report_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        const struct vmx_record *record = &facts->records[i];
        if (record->answer == CPU_ANSWERED &&
            feature_control_state(record->before.feature_control.value) !=
                FEATURE_CONTROL_ENABLED)
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
        return has_cpuid_bits(requirement, requirement->bits, facts) ? NULL
                                                                     : requirement->name;
    case WRITE_BACK:
        return VMX_BASIC_MEMORY_TYPE(basic) == VMX_MEMORY_TYPE_WRITE_BACK
                   ? NULL
                   : "write-back VMCSs";
    case SAME_ON_ALL:
        return are_vmx_msrs_alike(facts) ? NULL : "the same VMX MSRs on all CPUs";
    case CPUID_LEAF:
        return facts->records[0].before.cpuid.leaf_0.eax >= requirement->bits
                   ? NULL
                   : "a later processor: CPUID has too few leaves";
    case LOCKED_ON:
        return is_locked_on(facts) ? NULL
                                   : "IA32_FEATURE_CONTROL set and locked by firmware";
    case TWO_CPUS:
        return facts->count >= 2 ? NULL : "a second CPU that was checked";
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
    if (requirement->only_with != 0 &&
        !has_cpuid_bits(requirement, requirement->only_with, question->facts))
        return true;
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
    enum verdict_word verdict    = question->facts->verdict;
    bool can_run                 = true;

    /* What Hymir was told not to unlock, others may. */
    if (verdict == VERDICT_UNLOCKED && hypervisor == HYPERVISOR_HYMIR) {
        tell(&missing, "a boot without nolock");
        return false;
    }
    if (verdict != VERDICT_READY && verdict != VERDICT_UNLOCKED) {
        tell(&missing, verdict == VERDICT_MIXED ? "VT-x on all CPUs: see the verdict"
                                                : "VT-x that works: see the verdict");
        return false;
    }
    for (size_t i = 0; i < requirement_count; i++) {
        if (requirements[i].hypervisor == hypervisor)
            can_run &= is_met(&requirements[i], question, &missing);
    }
    return can_run;
}
