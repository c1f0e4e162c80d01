/* See issues.h. */
#include "virt/issues.h"

#include "lib/bits.h"
#include "virt/issue_rules.h"
#include "virt/vcpu.h"
#include "x86/control_registers.h"
#include "x86/msr.h"

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
    [MEASURE_LFENCE]         = {"serializing LFENCE", true},
    [MEASURE_CLAMP]          = {"clamped indices", true},
    [MEASURE_SMALL_PAGES]    = {"4-KiB pages for code", true},
    [MEASURE_RETPOLINE]      = {"retpolines", true},
    [MEASURE_IBPB]           = {"IBPB between guests", true},
    [MEASURE_ENHANCED_IBRS]  = {"enhanced IBRS", true},
    [MEASURE_AUTOMATIC_IBRS] = {"automatic IBRS", true},
    [MEASURE_STIBP]          = {"STIBP", true},
    [MEASURE_BHI_DIS_S]      = {"BHI_DIS_S", true},
    [MEASURE_RRSBA_DIS_S]    = {"RRSBA_DIS_S", true},
    [MEASURE_BP_SPEC_REDUCE] = {"BpSpecReduce", true},
    [MEASURE_FP_BACKUP_FIX]  = {"DE_CFG[9]", true},
    [MEASURE_SWITCH_ON]      = {"fix by microcode switched on", true},
    [MEASURE_VERW]           = {"VERW at VM entry", true},
    [MEASURE_FLUSH_L1D]      = {"L1D flush at VM entry", true},
    [MEASURE_FILL_RSB]       = {"RSB filled at VM exit", true},
    [MEASURE_IBRS_ON_EXIT]   = {"IBRS at VM exit", true},
    [MEASURE_IBPB_ON_EXIT]   = {"IBPB at VM exit", true},
    [MEASURE_ALIGN_RETURNS]  = {"aligned returns", true},
    [MEASURE_GUEST_CONTROLS] = {"SPEC_CTRL for guests", true},
    [MEASURE_CORE_PER_GUEST] = {"one guest a core", true},
};

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

    if (mitigations == MITIGATIONS_OFF ? remedy->measure > MEASURE_CLAMP
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

_Static_assert(MEASURE_IBPB_ON_EXIT - MEASURE_VERW == ENTRY_IBPB &&
                   MEASURE_IBRS_ON_EXIT - MEASURE_VERW == ENTRY_IBRS &&
                   MEASURE_FILL_RSB - MEASURE_VERW == ENTRY_FILL_RSB &&
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
        {MEASURE_STIBP, {.spec_ctrl = SPEC_CTRL_STIBP}},
        {MEASURE_BHI_DIS_S, {.spec_ctrl = SPEC_CTRL_BHI_DIS_S}},
        {MEASURE_RRSBA_DIS_S, {.spec_ctrl = SPEC_CTRL_RRSBA_DIS_S}},
        {MEASURE_BP_SPEC_REDUCE, {.bp_cfg = BP_CFG_BP_SPEC_REDUCE}},
        {MEASURE_LFENCE, {.de_cfg = DE_CFG_LFENCE_SERIALIZES}},
        {MEASURE_FP_BACKUP_FIX, {.de_cfg = DE_CFG_FP_BACKUP_FIX}},
        {MEASURE_SWITCH_ON,
         {.mcu_opt_ctrl = MCU_OPT_CTRL_RNGDS_MITG_DIS | MCU_OPT_CTRL_GDS_MITG_DIS}},
    };
    struct guest_controls sum = {
        .entry = (uint8_t)BITS_GET(measures, MEASURE_IBPB_ON_EXIT, MEASURE_VERW)};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if ((measures & BIT(rows[i].measure)) == 0)
            continue;
        sum.pred_cmd |= rows[i].controls.pred_cmd;
        sum.spec_ctrl |= rows[i].controls.spec_ctrl;
        sum.efer |= rows[i].controls.efer;
        sum.de_cfg |= rows[i].controls.de_cfg;
        sum.bp_cfg |= rows[i].controls.bp_cfg;
        sum.mcu_opt_ctrl |= rows[i].controls.mcu_opt_ctrl;
    }
    return sum;
}
