/* See surroundings.h. */
#include "report/surroundings.h"

#include "check/outer_hypervisor.h"
#include "x86/msr.h"

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

/* What is told of one: a word for machines, a text for a person. */
struct told {
    struct text *state, *text;
};

static void tell_state(const struct told *told, const char *state)
{
    text_append(told->state, "%s", state);
}

static void tell_yes_or_no(const struct told *told, bool is_yes)
{
    tell_state(told, is_yes ? "yes" : "no");
    text_append(told->text, "%s", is_yes ? "yes" : "no");
}

/* The units, and what all of them can do. */
static void describe_units(const struct vt_d *vt_d, struct text *text)
{
    uint64_t common  = UINT64_MAX;
    size_t answering = 0;

    for (size_t i = 0; i < vt_d->count; i++) {
        answering += vt_d->unit[i].answers ? 1 : 0;
        common &= vt_d->unit[i].extended_capability;
    }
    text_append(text, "ACPI's DMAR table names %zu unit%s", vt_d->count,
                vt_d->count == 1 ? "" : "s");
    if (vt_d->dropped > 0)
        text_append(text, " and %zu more", vt_d->dropped);
    if (vt_d->is_broken)
        text_append(text, " in front of a broken entry");
    if (answering < vt_d->count)
        text_append(text, "; %zu of them answer", answering);
    else if (vt_d->count > 0)
        text_append(text, "; interrupt remapping: %s",
                    (common & VT_D_ECAP_INTERRUPT_REMAPPING) != 0 ? "yes" : "no");
}

static void describe_vt_d(const struct report_facts *facts, const struct told *told)
{
    if (facts->vt_d->has_table) {
        tell_state(told, facts->vt_d->count > 0 ? "yes" : "no");
        describe_units(facts->vt_d, told->text);
    } else if (facts->has_acpi) {
        tell_state(told, "no");
        text_append(told->text,
                    "ACPI has no sound DMAR table; see VT-d in the firmware setup");
    } else {
        tell_state(told, "unknown");
        text_append(told->text, "unknown: no ACPI tables were found");
    }
}

/*
 * What firmware enabled by a bit of IA32_FEATURE_CONTROL, of a feature that is there;
 * true if the register tells.
 */
static bool describe_enabled(const struct msr_reading *feature_control, uint64_t bit,
                             bool has_feature, const struct told *told)
{
    bool is_enabled = (feature_control->value & bit) != 0;

    if (!has_feature) {
        tell_state(told, "absent");
        text_append(told->text, "the processor does not have it");
        return false;
    }
    if (feature_control->state != MSR_READ) {
        tell_state(told, "unknown");
        text_append(told->text, "unknown: IA32_FEATURE_CONTROL was not read");
        return false;
    }
    tell_state(told, is_enabled ? "enabled" : "disabled");
    text_append(told->text, "%s in IA32_FEATURE_CONTROL (0x%lx)",
                is_enabled ? "enabled" : "not enabled", feature_control->value);
    return true;
}

static void describe_txt(const struct cpu_record *record, const struct told *told)
{
    bool has_smx = (record->cpuid.leaf_1.ecx & CPUID_1_ECX_SMX) != 0;

    const struct msr_reading control = record_msr(record, MSR_IA32_FEATURE_CONTROL);

    if (describe_enabled(&control, FEATURE_CONTROL_SENTER_GLOBAL, has_smx, told))
        text_append(told->text, "; its functions: 0x%lx of 0x7f",
                    FEATURE_CONTROL_SENTER_LOCAL(control.value));
}

static void describe_sgx(const struct cpu_record *record, const struct told *told)
{
    const struct msr_reading control = record_msr(record, MSR_IA32_FEATURE_CONTROL);
    bool has_sgx                     = (record->cpuid.leaf_7.ebx & CPUID_7_EBX_SGX) != 0;
    bool has_lc = (record->cpuid.leaf_7.ecx & CPUID_7_ECX_SGX_LC) != 0;

    if (!describe_enabled(&control, FEATURE_CONTROL_SGX, has_sgx, told))
        return;
    if (!has_lc)
        text_append(told->text, "; no launch control");
    else
        text_append(told->text, "; launch control: %s",
                    (control.value & FEATURE_CONTROL_SGX_LAUNCH) != 0 ? "by software"
                                                                      : "by firmware");
}

/* An erratum that a bit of IA32_ARCH_CAPABILITIES denies; true if it may be there. */
static bool describe_erratum(const struct msr_reading *capabilities, uint64_t no,
                             const struct told *told)
{
    bool is_affected = (capabilities->value & no) == 0;

    tell_state(told, is_affected ? "possible" : "not affected");
    if (capabilities->state != MSR_READ)
        text_append(told->text, "possible: nothing denies it");
    else
        text_append(told->text, "%s (IA32_ARCH_CAPABILITIES = 0x%lx)",
                    is_affected ? "possible" : "not affected", capabilities->value);
    return is_affected;
}

static void describe_l1tf(const struct cpu_record *record, const struct told *told)
{
    const struct msr_reading *capabilities = &record->arch_capabilities;
    bool has_flush = (record->cpuid.leaf_7.edx & CPUID_7_EDX_L1D_FLUSH) != 0;

    if (!describe_erratum(capabilities, ARCH_CAPABILITIES_RDCL_NO, told))
        return;
    if ((capabilities->value & ARCH_CAPABILITIES_SKIP_L1DFL_VMENTRY) != 0)
        text_append(told->text, "; the L1D need not be flushed on VM entry");
    else
        text_append(told->text, "; IA32_FLUSH_CMD: %s", has_flush ? "yes" : "no");
}

static void describe_mds(const struct cpu_record *record, const struct told *told)
{
    bool has_clear = (record->cpuid.leaf_7.edx & CPUID_7_EDX_MD_CLEAR) != 0;

    if (describe_erratum(&record->arch_capabilities, ARCH_CAPABILITIES_MDS_NO, told))
        text_append(told->text, "; MD_CLEAR: %s", has_clear ? "yes" : "no");
}

static void describe_hypervisor(const struct cpuid_snapshot *cpuid, const char *machine,
                                const struct told *told)
{
    char signature[CPUID_VENDOR_SIZE];

    outer_hypervisor_describe(cpuid, machine, told->text);
    if (!cpuid_has_hypervisor(cpuid)) {
        tell_state(told, "none");
        return;
    }
    cpuid_hypervisor(cpuid, signature);
    tell_state(told, signature[0] != '\0' ? signature : "unknown");
    outer_hypervisor_describe_limits(cpuid, machine, told->text);
}

/* What all CPUs that answered say; not read if one of them does not have it. */
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

void surrounding_describe(enum surrounding surrounding, const struct report_facts *facts,
                          struct text *state, struct text *text)
{
    static struct cpu_record common; /* one CPU makes reports */
    const struct cpuid_snapshot *cpuid = &common.cpuid;
    const struct told told             = {state, text};

    common                   = facts->records[0];
    common.arch_capabilities = common_arch_capabilities(facts);
    switch (surrounding) {
    case SURROUNDING_VT_D:
        describe_vt_d(facts, &told);
        break;
    case SURROUNDING_SMX:
        tell_yes_or_no(&told, (cpuid->leaf_1.ecx & CPUID_1_ECX_SMX) != 0);
        break;
    case SURROUNDING_TXT:
        describe_txt(&common, &told);
        break;
    case SURROUNDING_SGX:
        describe_sgx(&common, &told);
        break;
    case SURROUNDING_MULTIHIT:
        (void)describe_erratum(&common.arch_capabilities,
                               ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO, &told);
        break;
    case SURROUNDING_L1TF:
        describe_l1tf(&common, &told);
        break;
    case SURROUNDING_MDS:
        describe_mds(&common, &told);
        break;
    case SURROUNDING_LA57:
        tell_yes_or_no(&told, (cpuid->leaf_7.ecx & CPUID_7_ECX_LA57) != 0);
        break;
    case SURROUNDING_ADDRESS_WIDTH:
        text_append(state, "%u", cpuid_physical_address_width(cpuid));
        text_append(text, "%s bits physical", state->buffer);
        break;
    case SURROUNDING_HYPERVISOR:
        describe_hypervisor(cpuid, facts->machine, &told);
        break;
    case SURROUNDING_COUNT:
        break;
    }
}
