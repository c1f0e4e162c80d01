/* See surroundings.h. */
#include "report/surroundings.h"

#include "cpu/registers.h"
#include "vmx/feature_control.h"
#include "vmx/outer_hypervisor.h"

/* CPUID.07H.0 */
#define CPUID_7_EBX_SGX       BIT(2)
#define CPUID_7_ECX_LA57      BIT(16)
#define CPUID_7_EDX_MD_CLEAR  BIT(10)
#define CPUID_7_EDX_L1D_FLUSH BIT(28)

static const struct {
    const char *name, *key;
} names[SURROUNDING_COUNT] = {
    [SURROUNDING_VT_D]          = {"VT-d", "vt_d"},
    [SURROUNDING_SMX]           = {"SMX", "smx"},
    [SURROUNDING_TXT]           = {"SENTER (TXT)", "txt"},
    [SURROUNDING_SGX]           = {"SGX", "sgx"},
    [SURROUNDING_MULTIHIT]      = {"iTLB multihit", "itlb_multihit"},
    [SURROUNDING_L1TF]          = {"L1TF", "l1tf"},
    [SURROUNDING_MDS]           = {"MDS", "mds"},
    [SURROUNDING_LA57]          = {"5-level paging", "la57"},
    [SURROUNDING_ADDRESS_WIDTH] = {"Addresses", "physical_address_width"},
    [SURROUNDING_HYPERVISOR]    = {"Nested in", "hypervisor"},
};

const char *surrounding_name(enum surrounding surrounding)
{
    return names[surrounding].name;
}

const char *surrounding_key(enum surrounding surrounding)
{
    return names[surrounding].key;
}

static void describe_vt_d(const struct report_facts *facts, struct text *text)
{
    if (facts->has_vt_d)
        text_append(text, "present: ACPI has a DMAR table");
    else if (facts->has_acpi)
        text_append(text,
                    "not found: ACPI has no DMAR table; see VT-d in the firmware setup");
    else
        text_append(text, "unknown: no ACPI tables were found");
}

/* What firmware enabled by a bit of IA32_FEATURE_CONTROL, of a feature that is there. */
static void describe_enabled(const struct msr_reading *feature_control, uint64_t bits,
                             bool has_feature, struct text *text)
{
    if (!has_feature)
        text_append(text, "the processor does not have it");
    else if (feature_control->state != MSR_READ)
        text_append(text, "unknown: IA32_FEATURE_CONTROL was not read");
    else
        text_append(text, "%s in IA32_FEATURE_CONTROL (0x%lx)",
                    (feature_control->value & bits) == bits ? "enabled" : "not enabled",
                    feature_control->value);
}

/* An erratum that a bit of IA32_ARCH_CAPABILITIES denies. */
static void describe_erratum(const struct msr_reading *capabilities, uint64_t no,
                             struct text *text)
{
    if (capabilities->state != MSR_READ)
        text_append(text, "possible: no IA32_ARCH_CAPABILITIES denies it");
    else
        text_append(text, "%s (IA32_ARCH_CAPABILITIES = 0x%lx)",
                    (capabilities->value & no) != 0 ? "not affected" : "possible",
                    capabilities->value);
}

/* What all CPUs that answered say; not read if one of them does not have it. */
static struct msr_reading common_arch_capabilities(const struct report_facts *facts)
{
    struct msr_reading common = facts->records[0].before.arch_capabilities;

    for (size_t i = 1; i < facts->count; i++) {
        const struct vmx_record *record = &facts->records[i];
        if (record->answer != CPU_ANSWERED)
            continue;
        common.value &= record->before.arch_capabilities.value;
        if (record->before.arch_capabilities.state != MSR_READ)
            common.state = MSR_NOT_READ;
    }
    return common;
}

static void describe_l1tf(const struct vmx_snapshot *snapshot, struct text *text)
{
    const struct msr_reading *capabilities = &snapshot->arch_capabilities;

    describe_erratum(capabilities, ARCH_CAPABILITIES_RDCL_NO, text);
    if ((capabilities->value & ARCH_CAPABILITIES_RDCL_NO) != 0)
        return;
    if ((capabilities->value & ARCH_CAPABILITIES_SKIP_L1DFL_VMENTRY) != 0)
        text_append(text, "; the L1D need not be flushed on VM entry");
    else
        text_append(text, "; %s IA32_FLUSH_CMD",
                    (snapshot->cpuid.leaf_7.edx & CPUID_7_EDX_L1D_FLUSH) != 0 ? "has"
                                                                              : "lacks");
}

static void describe_mds(const struct vmx_snapshot *snapshot, struct text *text)
{
    describe_erratum(&snapshot->arch_capabilities, ARCH_CAPABILITIES_MDS_NO, text);
    if ((snapshot->arch_capabilities.value & ARCH_CAPABILITIES_MDS_NO) == 0)
        text_append(text, "; %s MD_CLEAR",
                    (snapshot->cpuid.leaf_7.edx & CPUID_7_EDX_MD_CLEAR) != 0 ? "has"
                                                                             : "lacks");
}

void surrounding_describe(enum surrounding surrounding, const struct report_facts *facts,
                          struct text *text)
{
    const struct cpuid_snapshot *cpuid = &facts->records[0].before.cpuid;
    static struct vmx_snapshot common; /* one CPU makes reports */
    bool has_smx = (cpuid->leaf_1.ecx & CPUID_1_ECX_SMX) != 0;

    common                   = facts->records[0].before;
    common.arch_capabilities = common_arch_capabilities(facts);
    switch (surrounding) {
    case SURROUNDING_VT_D:
        describe_vt_d(facts, text);
        break;
    case SURROUNDING_SMX:
        text_append(text, "%s", has_smx ? "yes" : "no");
        break;
    case SURROUNDING_TXT:
        describe_enabled(&common.feature_control, FEATURE_CONTROL_SENTER_GLOBAL, has_smx,
                         text);
        break;
    case SURROUNDING_SGX:
        describe_enabled(&common.feature_control, FEATURE_CONTROL_SGX,
                         (cpuid->leaf_7.ebx & CPUID_7_EBX_SGX) != 0, text);
        break;
    case SURROUNDING_MULTIHIT:
        describe_erratum(&common.arch_capabilities, ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO,
                         text);
        break;
    case SURROUNDING_L1TF:
        describe_l1tf(&common, text);
        break;
    case SURROUNDING_MDS:
        describe_mds(&common, text);
        break;
    case SURROUNDING_LA57:
        text_append(text, "%s",
                    (cpuid->leaf_7.ecx & CPUID_7_ECX_LA57) != 0 ? "yes" : "no");
        break;
    case SURROUNDING_ADDRESS_WIDTH:
        text_append(text, "%u bits physical", cpuid_physical_address_width(cpuid));
        break;
    case SURROUNDING_HYPERVISOR:
        outer_hypervisor_describe(cpuid, facts->machine, text);
        if (cpuid_has_hypervisor(cpuid))
            outer_hypervisor_describe_limits(cpuid, facts->machine, text);
        break;
    case SURROUNDING_COUNT:
        break;
    }
}
