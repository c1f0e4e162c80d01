/* See issues.h. */
#include "virt/issues.h"

#include "lib/bits.h"
#include "virt/issue_rules.h"
#include "virt/vcpu.h"
#include "x86/control_registers.h"
#include "x86/msr.h"

#define T(trait) BIT(TRAIT_##trait)

const struct issue_row issue_rows[ISSUES] = {
    [ISSUE_SPECTRE_V1]    = {"Spectre v1", "spectre_v1"},
    [ISSUE_SPECTRE_V2]    = {"Spectre v2", "spectre_v2"},
    [ISSUE_BHI]           = {"BHI", "bhi"},
    [ISSUE_ITS]           = {"ITS", "its"},
    [ISSUE_RETBLEED]      = {"Retbleed", "retbleed"},
    [ISSUE_SRSO]          = {"SRSO", "srso"},
    [ISSUE_PBRSB]         = {"PBRSB", "eibrs_pbrsb"},
    [ISSUE_SMT_RSB]       = {"cross-thread RSB", "smt_rsb"},
    [ISSUE_VMSCAPE]       = {"VMSCAPE", "vmscape"},
    [ISSUE_MELTDOWN]      = {"Meltdown", "cpu_meltdown"},
    [ISSUE_SSB]           = {"SSB", "spec_store_bypass"},
    [ISSUE_L1TF]          = {"L1TF", "l1tf"},
    [ISSUE_MDS]           = {"MDS", "mds"},
    [ISSUE_TAA]           = {"TAA", "taa"},
    [ISSUE_MMIO]          = {"MMIO stale data", "mmio_stale_data"},
    [ISSUE_RFDS]          = {"RFDS", "rfds"},
    [ISSUE_TSA]           = {"TSA", "tsa"},
    [ISSUE_SRBDS]         = {"SRBDS", "srbds"},
    [ISSUE_GDS]           = {"GDS", "gds"},
    [ISSUE_ZENBLEED]      = {"Zenbleed", "zenbleed"},
    [ISSUE_ITLB_MULTIHIT] = {"iTLB multihit", "itlb_multihit"},
    [ISSUE_SIBLINGS]      = {"sibling threads", "siblings"},
};

const char *const issue_state_names[ISSUE_STATES] = {
    [ISSUE_NOT_AFFECTED] = "not affected",
    [ISSUE_AFFECTED]     = "affected",
    [ISSUE_UNKNOWN]      = "unknown",
};

const struct measure_row measure_rows[MEASURES] = {
    [MEASURE_OWN_TABLES]     = {"page tables without Hymir", true},
    [MEASURE_NO_USER_MODE]   = {"no user mode in Hymir", true},
    [MEASURE_MICROCODE]      = {"fix by microcode", true},
    [MEASURE_CLAMP]          = {"clamped indices", true},
    [MEASURE_SMALL_PAGES]    = {"4-KiB pages", true},
    [MEASURE_RETPOLINE]      = {"retpolines", true},
    [MEASURE_IBPB]           = {"IBPB between guests", true},
    [MEASURE_ENHANCED_IBRS]  = {"enhanced IBRS", true},
    [MEASURE_AUTOMATIC_IBRS] = {"automatic IBRS", true},
    [MEASURE_BHI_DIS_S]      = {"BHI_DIS_S", true},
    [MEASURE_FP_BACKUP_FIX]  = {"DE_CFG[9]", true},
    [MEASURE_VERW]           = {"VERW at VM entry", true},
    [MEASURE_FLUSH_L1D]      = {"L1D flush at VM entry", true},
    [MEASURE_FILL_RSB]       = {"RSB filled at VM exit", true},
    [MEASURE_IBRS_ON_EXIT]   = {"IBRS at VM exit", false},
    [MEASURE_IBPB_ON_EXIT]   = {"IBPB at VM exit", false},
    [MEASURE_CLEAR_BHB]      = {"branch history cleared at VM exit", false},
    [MEASURE_ALIGN_BRANCHES] = {"aligned branches", false},
    [MEASURE_GUEST_CONTROLS] = {"SPEC_CTRL for guests", true},
    [MEASURE_CORE_PER_GUEST] = {"one guest a core", true},
};

/* ---- Traits ------------------------------------------------------------------------ */

#define IN_CPUID(trait, reg, bit)                                  \
    {                                                              \
        TRAIT_##trait, offsetof(struct cpuid_snapshot, reg), (bit) \
    }

/* Where CPUID reports traits: a processor has Intel's or AMD's bit of one. */
static const struct {
    enum cpu_trait trait;
    size_t offset; /* of the register */
    uint64_t bit;
} cpuid_traits[] = {
    IN_CPUID(IBPB, leaf_7.edx, CPUID_7_EDX_IBRS_IBPB),
    IN_CPUID(IBPB, leaf_80000008.ebx, CPUID_80000008_EBX_IBPB),
    IN_CPUID(IBRS, leaf_7.edx, CPUID_7_EDX_IBRS_IBPB),
    IN_CPUID(IBRS, leaf_80000008.ebx, CPUID_80000008_EBX_IBRS),
    IN_CPUID(AUTOMATIC_IBRS, leaf_80000021.eax, CPUID_80000021_EAX_AUTOMATIC_IBRS),
    IN_CPUID(STIBP, leaf_7.edx, CPUID_7_EDX_STIBP),
    IN_CPUID(STIBP, leaf_80000008.ebx, CPUID_80000008_EBX_STIBP),
    IN_CPUID(SSBD, leaf_7.edx, CPUID_7_EDX_SSBD),
    IN_CPUID(SSBD, leaf_80000008.ebx, CPUID_80000008_EBX_SSBD),
    IN_CPUID(BHI_CTRL, leaf_7_2.edx, CPUID_7_2_EDX_BHI_CTRL),
    IN_CPUID(RRSBA_CTRL, leaf_7_2.edx, CPUID_7_2_EDX_RRSBA_CTRL),
    IN_CPUID(IBPB_RET, leaf_80000008.ebx, CPUID_80000008_EBX_IBPB_RET),
    IN_CPUID(IBPB_BRTYPE, leaf_80000021.eax, CPUID_80000021_EAX_IBPB_BRTYPE),
    IN_CPUID(MD_CLEAR, leaf_7.edx, CPUID_7_EDX_MD_CLEAR),
    IN_CPUID(VERW_CLEAR, leaf_80000021.eax, CPUID_80000021_EAX_VERW_CLEAR),
    IN_CPUID(L1D_FLUSH, leaf_7.edx, CPUID_7_EDX_L1D_FLUSH),
    IN_CPUID(SRBDS_CTRL, leaf_7.edx, CPUID_7_EDX_SRBDS_CTRL),
    IN_CPUID(SSB_NO, leaf_80000008.ebx, CPUID_80000008_EBX_SSB_NO),
    IN_CPUID(BTC_NO, leaf_80000008.ebx, CPUID_80000008_EBX_BTC_NO),
    IN_CPUID(SRSO_NO, leaf_80000021.eax, CPUID_80000021_EAX_SRSO_NO),
    IN_CPUID(TSA_SQ_NO, leaf_80000021.ecx, CPUID_80000021_ECX_TSA_SQ_NO),
    IN_CPUID(TSA_L1_NO, leaf_80000021.ecx, CPUID_80000021_ECX_TSA_L1_NO),
    IN_CPUID(AVX, leaf_1.ecx, CPUID_1_ECX_AVX),
    IN_CPUID(RTM, leaf_7.ebx, CPUID_7_EBX_RTM),
    IN_CPUID(RDRAND, leaf_1.ecx, CPUID_1_ECX_RDRAND),
    IN_CPUID(RDSEED, leaf_7.ebx, CPUID_7_EBX_RDSEED),
};

static const struct {
    enum cpu_trait trait;
    uint64_t bit; /* of IA32_ARCH_CAPABILITIES */
} capability_traits[] = {
    {TRAIT_RDCL_NO, ARCH_CAPABILITIES_RDCL_NO},
    {TRAIT_ENHANCED_IBRS, ARCH_CAPABILITIES_IBRS_ALL},
    {TRAIT_RSBA, ARCH_CAPABILITIES_RSBA},
    {TRAIT_SKIP_L1DFL_VMENTRY, ARCH_CAPABILITIES_SKIP_L1DFL_VMENTRY},
    {TRAIT_SSB_NO, ARCH_CAPABILITIES_SSB_NO},
    {TRAIT_MDS_NO, ARCH_CAPABILITIES_MDS_NO},
    {TRAIT_PSCHANGE_MC_NO, ARCH_CAPABILITIES_IF_PSCHANGE_MC_NO},
    {TRAIT_TSX_CTRL, ARCH_CAPABILITIES_TSX_CTRL},
    {TRAIT_TAA_NO, ARCH_CAPABILITIES_TAA_NO},
    {TRAIT_SBDR_SSDP_NO, ARCH_CAPABILITIES_SBDR_SSDP_NO},
    {TRAIT_FBSDP_NO, ARCH_CAPABILITIES_FBSDP_NO},
    {TRAIT_PSDP_NO, ARCH_CAPABILITIES_PSDP_NO},
    {TRAIT_FB_CLEAR, ARCH_CAPABILITIES_FB_CLEAR},
    {TRAIT_BHI_NO, ARCH_CAPABILITIES_BHI_NO},
    {TRAIT_PBRSB_NO, ARCH_CAPABILITIES_PBRSB_NO},
    {TRAIT_GDS_CTRL, ARCH_CAPABILITIES_GDS_CTRL},
    {TRAIT_GDS_NO, ARCH_CAPABILITIES_GDS_NO},
    {TRAIT_RFDS_NO, ARCH_CAPABILITIES_RFDS_NO},
    {TRAIT_RFDS_CLEAR, ARCH_CAPABILITIES_RFDS_CLEAR},
    {TRAIT_ITS_NO, ARCH_CAPABILITIES_ITS_NO},
};

/* AMD-SB-7008: the first microcode revision with the fix, by the processor's model. */
static bool has_zenbleed_fix(const struct issue_registers *registers)
{
    static const struct {
        uint32_t first, last, revision;
    } fixes[]      = {{0x30, 0x3F, 0x0830107B},
                      {0x60, 0x67, 0x0860010C},
                      {0x68, 0x6F, 0x08608107},
                      {0x70, 0x7F, 0x08701033},
                      {0xA0, 0xAF, 0x08A00009}};
    uint32_t model = cpuid_signature(registers->cpuid).model;

    for (size_t i = 0; i < ARRAY_SIZE(fixes); i++) {
        if (fixes[i].first <= model && model <= fixes[i].last)
            return registers->microcode >= fixes[i].revision;
    }
    return false;
}

struct issue_facts issue_facts_of(const struct issue_registers *registers)
{
    const char *cpuid        = (const char *)registers->cpuid;
    struct issue_facts facts = {.micro     = microarchitecture_of(registers->cpuid),
                                .is_nested = cpuid_has_hypervisor(registers->cpuid)};

    for (size_t i = 0; i < ARRAY_SIZE(cpuid_traits); i++) {
        if ((*(const uint32_t *)(cpuid + cpuid_traits[i].offset) & cpuid_traits[i].bit) !=
            0)
            facts.traits |= BIT(cpuid_traits[i].trait);
    }
    for (size_t i = 0; i < ARRAY_SIZE(capability_traits); i++) {
        if ((registers->arch_capabilities.value & capability_traits[i].bit) != 0)
            facts.traits |= BIT(capability_traits[i].trait);
    }
    if (facts.micro == MICRO_ZEN_2 && has_zenbleed_fix(registers))
        facts.traits |= T(ZENBLEED_FIX);
    if (registers->has_siblings)
        facts.traits |= T(SIBLINGS);
    return facts;
}

/* ---- Decisions --------------------------------------------------------------------- */

/* Returns all of the vendor's microarchitectures. */
static uint64_t micros_of_vendor(enum microarchitecture micro)
{
    return micro <= MICRO_INTEL_OTHER ? MICROS_OF_INTEL
           : micro <= MICRO_AMD_OTHER ? MICROS_OF_AMD
                                      : 0;
}

static enum issue_state decide_state(const struct issue_rule *rule,
                                     const struct issue_facts *facts)
{
    bool is_newer = facts->micro == MICRO_INTEL_OTHER || facts->micro == MICRO_AMD_OTHER;

    if (rule->immune != 0 && (facts->traits & rule->immune) == rule->immune)
        return ISSUE_NOT_AFFECTED;
    if ((facts->traits & rule->always) != 0)
        return ISSUE_AFFECTED;
    if (rule->exposed != 0 && (facts->traits & rule->exposed) == 0)
        return ISSUE_NOT_AFFECTED;
    if ((rule->micros & BIT(facts->micro)) != 0)
        return ISSUE_AFFECTED;
    return is_newer && (rule->micros & micros_of_vendor(facts->micro)) != 0
               ? ISSUE_UNKNOWN
               : ISSUE_NOT_AFFECTED;
}

/* Returns whether a remedy is to be applied, if the microcode supports it. */
static bool is_wanted(const struct issue_remedy *remedy, const struct issue_facts *facts,
                      enum mitigations mitigations)
{
    bool is_costly = remedy->level == REMEDY_ONLY_ALL;

    if (mitigations == MITIGATIONS_OFF ? remedy->measure > MEASURE_SMALL_PAGES
                                       : is_costly && mitigations != MITIGATIONS_ALL)
        return false;
    return (remedy->micros == 0 || (remedy->micros & BIT(facts->micro)) != 0) &&
           (remedy->only == 0 || (remedy->only & facts->traits) != 0) &&
           (remedy->unless & facts->traits) == 0;
}

struct issue_finding issue_decide(enum issue issue, const struct issue_facts *facts,
                                  enum mitigations mitigations)
{
    const struct issue_rule *rule = &issue_rules[issue];
    struct issue_finding finding  = {.state = decide_state(rule, facts)};

    for (size_t i = 0; i < rule->count && finding.state != ISSUE_NOT_AFFECTED; i++) {
        const struct issue_remedy *remedy = &rule->remedies[i];
        if (!is_wanted(remedy, facts, mitigations))
            continue;
        if (remedy->needs == 0 || (remedy->needs & facts->traits) != 0)
            finding.chosen |= (uint32_t)BIT(remedy->measure);
        else
            finding.lacking |= (uint32_t)BIT(remedy->measure);
    }
    return finding;
}

_Static_assert(MEASURE_FILL_RSB - MEASURE_VERW + 1 == ENTRY_MEASURES &&
                   MEASURE_FLUSH_L1D - MEASURE_VERW == ENTRY_FLUSH_L1D,
               "the same order");

struct guest_controls issue_controls(uint32_t measures)
{
    static const struct {
        enum measure measure;
        struct guest_controls controls;
    } rows[] = {
        {MEASURE_IBPB, {.pred_cmd = PRED_CMD_IBPB}},
        {MEASURE_ENHANCED_IBRS, {.spec_ctrl = SPEC_CTRL_IBRS}},
        {MEASURE_AUTOMATIC_IBRS, {.efer = EFER_AIBRSE}},
        {MEASURE_BHI_DIS_S, {.spec_ctrl = SPEC_CTRL_BHI_DIS_S}},
        {MEASURE_FP_BACKUP_FIX, {.de_cfg = DE_CFG_FP_BACKUP_FIX}},
    };
    struct guest_controls sum = {
        .entry = (uint8_t)BITS_GET(measures, MEASURE_FILL_RSB, MEASURE_VERW)};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if ((measures & BIT(rows[i].measure)) == 0)
            continue;
        sum.pred_cmd |= rows[i].controls.pred_cmd;
        sum.spec_ctrl |= rows[i].controls.spec_ctrl;
        sum.efer |= rows[i].controls.efer;
        sum.de_cfg |= rows[i].controls.de_cfg;
    }
    return sum;
}
