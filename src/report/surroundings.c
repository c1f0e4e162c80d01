/* See surroundings.h. */
#include "report/surroundings.h"

#include "check/outer_hypervisor.h"
#include "x86/amd_vi.h"
#include "x86/msr.h"
#include "x86/svm_capabilities.h"
#include "x86/vmx_capabilities.h"
#include "x86/vt_d.h"

/* Returns whether the boot CPU has the row's feature. */
static bool has_feature(const struct surrounding_query *query)
{
    const char *cpuid = (const char *)&query->facts->records[0].cpuid;
    return (*(const uint32_t *)(cpuid + query->row->cpuid_offset) &
            query->row->feature) != 0;
}

static const char *yes_or_no(bool is_yes)
{
    return is_yes ? "yes" : "no";
}

/* ---- IOMMUs ------------------------------------------------------------------------ */

static size_t count_answering(const struct iommu_table *table)
{
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++)
        count += table->unit[i].answers ? 1 : 0;
    return count;
}

/*
 * Describes the units of an ACPI table. Returns whether there are any, and all respond:
 * then the caller appends what they support.
 */
static bool describe_units(const struct surrounding_query *query,
                           const struct iommu_table *table, const char *signature)
{
    size_t answering = count_answering(table);
    bool is_ours     = surrounding_applies(query->row, query->facts);

    if (!table->exists && query->facts->has_acpi)
        text_append(query->text, "ACPI has no valid %s table%s%s%s", signature,
                    is_ours ? "; enable " : "", is_ours ? query->row->setting : "",
                    is_ours ? " in the firmware setup" : "");
    else if (!table->exists)
        text_append(query->text, "unknown: no ACPI tables");
    else
        text_append(query->text, "ACPI's %s table lists %zu unit%s", signature,
                    table->count, table->count == 1 ? "" : "s");
    text_append(query->state, "%s",
                table->exists || query->facts->has_acpi ? yes_or_no(answering > 0)
                                                        : "unknown");
    if (table->dropped > 0)
        text_append(query->text, " and %zu more", table->dropped);
    if (table->is_broken)
        text_append(query->text, "; the next entry is malformed");
    if (answering < table->count)
        text_append(query->text, "; responding: %zu", answering);
    return table->count > 0 && answering == table->count;
}

static void describe_vt_d(const struct surrounding_query *query)
{
    const struct iommu_table *table = &query->facts->iommus->vt_d;
    uint64_t common = UINT64_MAX, status = 0;

    if (!describe_units(query, table, "DMAR"))
        return;
    for (size_t i = 0; i < table->count; i++) {
        common &= table->unit[i].extended_capability;
        status |= table->unit[i].status;
    }
    text_append(query->text, "; interrupt remapping: %s%s; translation: %s",
                yes_or_no((common & VT_D_ECAP_INTERRUPT_REMAPPING) != 0),
                (status & VT_D_STATUS_INTERRUPT_REMAPPING) != 0 ? " (on)" : "",
                (status & VT_D_STATUS_TRANSLATION) != 0 ? "on" : "off");
}

static void describe_amd_vi(const struct surrounding_query *query)
{
    const struct iommu_table *table = &query->facts->iommus->amd_vi;
    uint64_t common = UINT64_MAX, control = 0;

    if (!describe_units(query, table, "IVRS"))
        return;
    for (size_t i = 0; i < table->count; i++) {
        common &= table->unit[i].extended_features;
        control |= table->unit[i].control;
    }
    text_append(query->text, "; x2APIC: %s, AVIC: %s, SEV-SNP: %s; translation: %s",
                yes_or_no((common & AMD_VI_XT_SUP) != 0),
                yes_or_no((common & AMD_VI_GA_SUP) != 0),
                yes_or_no((common & AMD_VI_SNP_SUP) != 0),
                (control & AMD_VI_CONTROL_IOMMU_EN) != 0 ? "on" : "off");
}

/* ---- Features and errata of the processor ------------------------------------------ */

static void describe_feature(const struct surrounding_query *query)
{
    text_append(query->state, "%s", yes_or_no(has_feature(query)));
    text_append(query->text, "%s", query->state->buffer);
}

/* Appends the further fields of IA32_FEATURE_CONTROL for SENTER. */
static void append_senter(const struct surrounding_query *query, uint64_t control)
{
    text_append(query->text, "; SENTER functions 0x%lx of 0x7f enabled",
                FEATURE_CONTROL_SENTER_LOCAL(control));
}

static void append_sgx(const struct surrounding_query *query, uint64_t control)
{
    if ((query->facts->records[0].cpuid.leaf_7.ecx & CPUID_7_ECX_SGX_LC) == 0)
        text_append(query->text, "; no launch control");
    else
        text_append(query->text, "; launch control: by %s",
                    (control & FEATURE_CONTROL_SGX_LAUNCH) != 0 ? "software"
                                                                : "firmware");
}

/* Appends which guests the processor can encrypt; those of SEV-SNP need a bit more. */
static void append_encryption(const struct surrounding_query *query, uint64_t syscfg)
{
    uint32_t features = query->facts->records[0].cpuid.leaf_8000001f.eax;
    bool is_enabled   = (syscfg & SYSCFG_SECURE_NESTED_PAGING_EN) != 0;

    text_append(query->text, "; SEV: %s, SEV-ES: %s, SEV-SNP: %s",
                yes_or_no((features & SVM_ENCRYPTION_SEV) != 0),
                yes_or_no((features & SVM_ENCRYPTION_SEV_ES) != 0),
                (features & SVM_ENCRYPTION_SEV_SNP) == 0 ? "no"
                : is_enabled                             ? "enabled"
                                                         : "not enabled");
}

/* Describes a feature that firmware enables by a bit of an MSR. */
static void describe_enabled(const struct surrounding_query *query)
{
    const struct surrounding *row = query->row;
    const struct msr_reading msr  = record_msr(&query->facts->records[0], row->msr);
    bool is_enabled               = (msr.value & row->msr_bit) != 0;

    if (!has_feature(query)) {
        text_append(query->state, "absent");
        text_append(query->text, "not supported by the processor");
    } else if (msr.state != MSR_READ) {
        text_append(query->state, "unknown");
        text_append(query->text, "unknown: %s was not read", row->setting);
    } else {
        text_append(query->state, is_enabled ? "enabled" : "disabled");
        text_append(query->text, "%s in %s (0x%lx)",
                    is_enabled ? "enabled" : "not enabled", row->setting, msr.value);
        row->append_details(query, msr.value);
    }
}

/* Returns the bits that all CPUs that answered have; not read if one lacks the MSR. */
static struct msr_reading common_arch_capabilities(const struct report_facts *facts)
{
    struct msr_reading common = facts->records[0].arch_capabilities;

    for (size_t i = 1; i < facts->count; i++) {
        const struct cpu_record *record = &facts->records[i];
        if (record->answer != CPU_ANSWERED)
            continue;
        common.value &= record->arch_capabilities.value;
        if (record->arch_capabilities.state != MSR_READ)
            common.state = MSR_NOT_READ;
    }
    return common;
}

/* Describes an erratum of Intel's processors, and the feature that mitigates it. */
static void describe_erratum(const struct surrounding_query *query)
{
    const struct msr_reading capabilities = common_arch_capabilities(query->facts);
    bool is_affected = (capabilities.value & query->row->msr_bit) == 0;
    bool is_unneeded = (capabilities.value & query->row->unneeded) != 0;

    if (cpuid_is_amd(&query->facts->records[0].cpuid)) {
        text_append(query->state, "not affected");
        text_append(query->text, "not affected (an AMD processor)");
        return;
    }
    text_append(query->state, is_affected ? "possible" : "not affected");
    if (capabilities.state != MSR_READ)
        text_append(query->text, "possible (IA32_ARCH_CAPABILITIES not read)");
    else
        text_append(query->text, "%s (IA32_ARCH_CAPABILITIES = 0x%lx)",
                    query->state->buffer, capabilities.value);
    if (is_affected && query->row->mitigation != NULL)
        text_append(query->text, "; %s: %s", query->row->mitigation,
                    is_unneeded ? "not needed on VM entry"
                                : yes_or_no(has_feature(query)));
}

/* Describes the timer that wakes guests, or the reason why another one does. */
static void describe_preemption_timer(const struct surrounding_query *query)
{
    const struct cpu_record *record = &query->facts->records[0];
    uint64_t controls               = record_msr(record, query->row->msr).value;

    if ((controls & query->row->msr_bit) == 0) {
        text_append(query->state, "absent");
        text_append(query->text, "not reported by the processor");
    } else if (cpuid_has_preemption_timer_erratum(&record->cpuid)) {
        text_append(query->state, "erratum");
        text_append(query->text, "counts at a wrong rate (an erratum of this processor); "
                                 "guests use the local APIC's timer");
    } else {
        text_append(query->state, "usable");
        text_append(query->text, "usable");
    }
}

static void describe_address_width(const struct surrounding_query *query)
{
    text_append(query->state, "%u",
                cpuid_physical_address_width(&query->facts->records[0].cpuid));
    text_append(query->text, "%s bits physical", query->state->buffer);
}

static void describe_hypervisor(const struct surrounding_query *query)
{
    const struct cpu_record *record    = &query->facts->records[0];
    const struct cpuid_snapshot *cpuid = &record->cpuid;
    char signature[CPUID_VENDOR_SIZE];

    outer_hypervisor_describe(cpuid, query->facts->machine, query->text);
    cpuid_hypervisor(cpuid, signature);
    if (!cpuid_has_hypervisor(cpuid)) {
        text_append(query->state, "none");
        return;
    }
    text_append(query->state, "%s", signature[0] != '\0' ? signature : "unknown");
    outer_hypervisor_describe_limits(record, query->facts->machine, query->text);
}

#define FEATURE(reg, bit) \
    .feature = (bit), .cpuid_offset = offsetof(struct cpuid_snapshot, reg)
#define ENABLED_IN(name) .setting = #name, .msr = MSR_##name

const struct surrounding surroundings[SURROUNDINGS] = {
    {"VT-d", "vt_d", describe_vt_d, OF_INTEL, .setting = "VT-d"},
    {"AMD-Vi", "amd_vi", describe_amd_vi, OF_AMD, .setting = "IOMMU (AMD-Vi)"},
    {"SME, SEV", "memory_encryption", describe_enabled, OF_AMD,
     FEATURE(leaf_8000001f.eax, SVM_ENCRYPTION_SME | SVM_ENCRYPTION_SEV),
     ENABLED_IN(SYSCFG), .msr_bit = SYSCFG_MEM_ENCRYPTION_MOD_EN,
     .append_details = append_encryption},
    {"SMX", "smx", describe_feature, OF_INTEL, FEATURE(leaf_1.ecx, CPUID_1_ECX_SMX)},
    {"SENTER (TXT)", "txt", describe_enabled, OF_INTEL,
     FEATURE(leaf_1.ecx, CPUID_1_ECX_SMX), ENABLED_IN(IA32_FEATURE_CONTROL),
     .msr_bit = FEATURE_CONTROL_SENTER_GLOBAL, .append_details = append_senter},
    {"SGX", "sgx", describe_enabled, OF_INTEL, FEATURE(leaf_7.ebx, CPUID_7_EBX_SGX),
     ENABLED_IN(IA32_FEATURE_CONTROL), .msr_bit = FEATURE_CONTROL_SGX,
     .append_details = append_sgx},
    {"iTLB multihit", "itlb_multihit", describe_erratum, OF_INTEL,
     .msr_bit = ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO},
    {"L1TF", "l1tf", describe_erratum, OF_INTEL,
     FEATURE(leaf_7.edx, CPUID_7_EDX_L1D_FLUSH), .msr_bit = ARCH_CAPABILITIES_RDCL_NO,
     .mitigation = "IA32_FLUSH_CMD", .unneeded = ARCH_CAPABILITIES_SKIP_L1DFL_VMENTRY},
    {"MDS", "mds", describe_erratum, OF_INTEL, FEATURE(leaf_7.edx, CPUID_7_EDX_MD_CLEAR),
     .msr_bit = ARCH_CAPABILITIES_MDS_NO, .mitigation = "MD_CLEAR"},
    {"VM timer", "preemption_timer", describe_preemption_timer, OF_INTEL,
     .msr     = MSR_IA32_VMX_PINBASED_CTLS,
     .msr_bit = (uint64_t)PIN_BASED_ACTIVATE_PREEMPTION_TIMER << 32},
    {"5-level paging", "la57", describe_feature, OF_ANY,
     FEATURE(leaf_7.ecx, CPUID_7_ECX_LA57)},
    {.name     = "Addresses",
     .key      = "physical_address_width",
     .describe = describe_address_width},
    {.name = "Nested in", .key = "hypervisor", .describe = describe_hypervisor},
};

bool surrounding_applies(const struct surrounding *row, const struct report_facts *facts)
{
    bool is_amd = cpuid_is_amd(&facts->records[0].cpuid);

    return row->brand == OF_ANY || (row->brand == OF_AMD) == is_amd;
}
