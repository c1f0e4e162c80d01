/* See surroundings.h. */
#include "report/surroundings.h"

#include "check/outer_hypervisor.h"
#include "x86/msr.h"

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

/* Appends the units, and what all of them support. Returns whether one responds. */
static bool append_units(const struct vt_d *vt_d, struct text *text)
{
    uint64_t common  = UINT64_MAX;
    size_t answering = 0;

    for (size_t i = 0; i < vt_d->count; i++) {
        answering += vt_d->unit[i].answers ? 1 : 0;
        common &= vt_d->unit[i].extended_capability;
    }
    text_append(text, "ACPI's DMAR table lists %zu unit%s", vt_d->count,
                vt_d->count == 1 ? "" : "s");
    if (vt_d->dropped > 0)
        text_append(text, " and %zu more", vt_d->dropped);
    if (vt_d->is_broken)
        text_append(text, "; the next entry is malformed");
    if (answering < vt_d->count)
        text_append(text, "; responding: %zu", answering);
    else if (vt_d->count > 0)
        text_append(text, "; interrupt remapping: %s",
                    yes_or_no((common & VT_D_ECAP_INTERRUPT_REMAPPING) != 0));
    return answering > 0;
}

static void describe_vt_d(const struct surrounding_query *query)
{
    const struct vt_d *vt_d = query->facts->vt_d;

    if (vt_d->has_table) {
        bool answers = append_units(vt_d, query->text);
        text_append(query->state, "%s", yes_or_no(answers));
    } else if (query->facts->has_acpi) {
        text_append(query->state, "no");
        text_append(query->text, "%s",
                    cpuid_is_amd(&query->facts->records[0].cpuid)
                        ? "ACPI has no DMAR table; AMD-Vi (table IVRS) is not checked"
                        : "ACPI has no valid DMAR table; enable VT-d in the firmware "
                          "setup");
    } else {
        text_append(query->state, "unknown");
        text_append(query->text, "unknown: no ACPI tables");
    }
}

static void describe_feature(const struct surrounding_query *query)
{
    text_append(query->state, "%s", yes_or_no(has_feature(query)));
    text_append(query->text, "%s", query->state->buffer);
}

/* Appends the further fields of IA32_FEATURE_CONTROL for SENTER and SGX. */
static void append_details(const struct surrounding_query *query, uint64_t control)
{
    if (query->row->msr_bit == FEATURE_CONTROL_SENTER_GLOBAL)
        text_append(query->text, "; SENTER functions 0x%lx of 0x7f enabled",
                    FEATURE_CONTROL_SENTER_LOCAL(control));
    else if ((query->facts->records[0].cpuid.leaf_7.ecx & CPUID_7_ECX_SGX_LC) == 0)
        text_append(query->text, "; no launch control");
    else
        text_append(query->text, "; launch control: by %s",
                    (control & FEATURE_CONTROL_SGX_LAUNCH) != 0 ? "software"
                                                                : "firmware");
}

/* Describes a feature that firmware enables by a bit of IA32_FEATURE_CONTROL. */
static void describe_enabled(const struct surrounding_query *query)
{
    const struct msr_reading control =
        record_msr(&query->facts->records[0], MSR_IA32_FEATURE_CONTROL);
    bool is_enabled = (control.value & query->row->msr_bit) != 0;

    if (!has_feature(query)) {
        text_append(query->state, "absent");
        text_append(query->text, "not supported by the processor");
    } else if (control.state != MSR_READ) {
        text_append(query->state, "unknown");
        text_append(query->text, "unknown: IA32_FEATURE_CONTROL was not read");
    } else {
        text_append(query->state, is_enabled ? "enabled" : "disabled");
        text_append(query->text, "%s in IA32_FEATURE_CONTROL (0x%lx)",
                    is_enabled ? "enabled" : "not enabled", control.value);
        append_details(query, control.value);
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
    .cpuid_offset = offsetof(struct cpuid_snapshot, reg), .feature = (bit)

const struct surrounding surroundings[SURROUNDINGS] = {
    {.name = "VT-d", .key = "vt_d", .describe = describe_vt_d},
    {"SMX", "smx", describe_feature, FEATURE(leaf_1.ecx, CPUID_1_ECX_SMX)},
    {"SENTER (TXT)", "txt", describe_enabled, FEATURE(leaf_1.ecx, CPUID_1_ECX_SMX),
     .msr_bit = FEATURE_CONTROL_SENTER_GLOBAL},
    {"SGX", "sgx", describe_enabled, FEATURE(leaf_7.ebx, CPUID_7_EBX_SGX),
     .msr_bit = FEATURE_CONTROL_SGX},
    {"iTLB multihit", "itlb_multihit", describe_erratum,
     .msr_bit = ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO},
    {"L1TF", "l1tf", describe_erratum, FEATURE(leaf_7.edx, CPUID_7_EDX_L1D_FLUSH),
     .msr_bit = ARCH_CAPABILITIES_RDCL_NO, .mitigation = "IA32_FLUSH_CMD",
     .unneeded = ARCH_CAPABILITIES_SKIP_L1DFL_VMENTRY},
    {"MDS", "mds", describe_erratum, FEATURE(leaf_7.edx, CPUID_7_EDX_MD_CLEAR),
     .msr_bit = ARCH_CAPABILITIES_MDS_NO, .mitigation = "MD_CLEAR"},
    {"5-level paging", "la57", describe_feature, FEATURE(leaf_7.ecx, CPUID_7_ECX_LA57)},
    {.name     = "Addresses",
     .key      = "physical_address_width",
     .describe = describe_address_width},
    {.name = "Nested in", .key = "hypervisor", .describe = describe_hypervisor},
};
