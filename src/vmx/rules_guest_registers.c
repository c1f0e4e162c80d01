/*
 * The rules for the guest's control registers, debug registers and MSRs: see rules.h. A
 * violation of these and of all later rules is exit reason 33.
 */
#include "vmx/rules.h"
#include "x86/msr.h"

#define CAUSE_MODE "only one of EFER, CR0, CR4 and the control was changed"

/* An unrestricted guest may clear PE and PG. */
static enum entry_verdict test_cr0(struct entry_query *query)
{
    uint64_t value   = entry_read_own(query);
    uint64_t fixed0  = entry_read(query, VALUE_IA32_VMX_CR0_FIXED0);
    uint64_t fixed1  = entry_read(query, VALUE_IA32_VMX_CR0_FIXED1);
    uint64_t ignored = CR0_CD | CR0_NW;

    if (rule_is_on(query, VALUE_SECONDARY, SECONDARY_UNRESTRICTED_GUEST))
        fixed0 &= ~(uint64_t)(CR0_PE | CR0_PG);
    return entry_require(query, (value | (fixed0 & ~ignored)) & (fixed1 | ignored));
}

static const struct entry_rule rows[] = {
    {"guest-cr0",
     "GUEST_CR0 has the bits that IA32_VMX_CR0_FIXED0 and FIXED1 require; of an "
     "unrestricted guest PE and PG may be 0.",
     "real mode or disabled paging without \"unrestricted guest\", or NE clear", test_cr0,
     .value = VALUE_GUEST_CR0},
    {"guest-pg-needs-pe", "With GUEST_CR0.PG, GUEST_CR0.PE is 1.",
     "PE was cleared before PG", MUST_SET(GUEST_CR0, CR0_PE),
     .when = {ON(GUEST_CR0, CR0_PG)}, .root = "guest-cr0"},
    {"guest-cr4", "GUEST_CR4 has the bits that IA32_VMX_CR4_FIXED0 and FIXED1 require.",
     "CR4 as the guest sees it, without VMXE, was written, or a bit that the processor "
     "lacks",
     vmx_test_fixed_bits, .value = VALUE_GUEST_CR4, .other = VALUE_IA32_VMX_CR4_FIXED0},
    {"guest-cet-needs-wp", "With GUEST_CR4.CET, GUEST_CR0.WP is 1.", NULL,
     MUST_SET(GUEST_CR0, CR0_WP), .when = {ON(GUEST_CR4, CR4_CET)}},
    {"guest-debugctl",
     "If VM entry loads debug controls, GUEST_IA32_DEBUGCTL has no reserved bits.",
     "the field was not initialized", MUST_CLEAR(GUEST_IA32_DEBUGCTL, DEBUGCTL_RESERVED),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_DEBUG_CONTROLS)}},
    {"guest-ia32e-needs-pg", "With the control \"IA-32e mode guest\", GUEST_CR0.PG is 1.",
     CAUSE_MODE, MUST_SET(GUEST_CR0, CR0_PG),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST)}, .root = "guest-cr0"},
    {"guest-ia32e-needs-pae",
     "With the control \"IA-32e mode guest\", GUEST_CR4.PAE is 1.", CAUSE_MODE,
     MUST_SET(GUEST_CR4, CR4_PAE),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST)}},
    {"guest-pcide-needs-ia32e",
     "Without the control \"IA-32e mode guest\", GUEST_CR4.PCIDE is 0.",
     "the guest left IA-32e mode and PCIDE stayed set", MUST_CLEAR(GUEST_CR4, CR4_PCIDE),
     .when = {OFF(ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST)}},
    {"guest-fred-needs-ia32e",
     "Without the control \"IA-32e mode guest\", GUEST_CR4.FRED is 0.", NULL,
     MUST_CLEAR(GUEST_CR4, CR4_FRED),
     .when = {OFF(ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST)}},
    {"guest-cr3",
     "GUEST_CR3 is within the physical-address width, except bits 62:61 with LAM.",
     "bit 63 of MOV to CR3 was written, or LAM bits on a processor without LAM",
     vmx_test_cr3, .value = VALUE_GUEST_CR3},
    {"guest-dr7", "If VM entry loads debug controls, bits 63:32 of GUEST_DR7 are 0.",
     "the field was not initialized", MUST_CLEAR(GUEST_DR7, HIGH_HALF),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_DEBUG_CONTROLS)}},
    {"guest-sysenter-canonical",
     "GUEST_IA32_SYSENTER_ESP and GUEST_IA32_SYSENTER_EIP are canonical.",
     "a guest's WRMSR was not checked", CANONICAL(GUEST_IA32_SYSENTER_ESP), .count = 2},
};

VMX_SECTION(vmx_rules_guest_registers,
            "\"Checks on Guest Control Registers, Debug Registers, and MSRs\"",
            ENTRY_GUEST_STATE, rows);

/* ---- MSRs that VM entry loads with a control */

static enum entry_verdict test_efer_lma(struct entry_query *query)
{
    uint64_t value = entry_read_own(query) & ~(uint64_t)EFER_LMA;
    bool is_ia32e  = rule_is_on(query, VALUE_ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST);

    return entry_require(query, value | (is_ia32e ? EFER_LMA : 0));
}

/* With paging, LME equals LMA. */
static enum entry_verdict test_efer_lme(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);

    if (!rule_is_on(query, VALUE_GUEST_CR0, CR0_PG))
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, (value & EFER_LMA) != 0 ? value | EFER_LME
                                                        : value & ~(uint64_t)EFER_LME);
}

#define WHEN_FRED                              \
    {                                          \
        ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_FRED) \
    }
#define WHEN_CET                                    \
    {                                               \
        ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_CET_STATE) \
    }
#define WHEN_EFER                                   \
    {                                               \
        ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_IA32_EFER) \
    }

static const struct entry_rule msr_rows[] = {
    {"guest-s-cet",
     "If VM entry loads CET state, GUEST_IA32_S_CET has no reserved bits, and not both "
     "SUPPRESS and TRACKER.",
     NULL, vmx_test_s_cet, .value = VALUE_GUEST_IA32_S_CET, .when = WHEN_CET},
    {"guest-s-cet-canonical",
     "If VM entry loads CET state, GUEST_IA32_S_CET is canonical.", NULL,
     CANONICAL(GUEST_IA32_S_CET), .when = WHEN_CET},
    {"guest-ssp-table-canonical",
     "If VM entry loads CET state, GUEST_INTERRUPT_SSP_TABLE is canonical.", NULL,
     CANONICAL(GUEST_INTERRUPT_SSP_TABLE), .when = WHEN_CET},
    {"guest-perf-global-ctrl",
     "If VM entry loads it, GUEST_IA32_PERF_GLOBAL_CTRL has no reserved bits.",
     "a guest was given more counters than the processor has",
     vmx_test_performance_control, .value = VALUE_GUEST_IA32_PERF_GLOBAL_CTRL,
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL)}},
    {"guest-pat",
     "If VM entry loads it, each byte of GUEST_IA32_PAT is 0, 1, 4, 5, 6 or 7.",
     "the field was not initialized, or a guest's WRMSR was not checked", entry_test_pat,
     .value = VALUE_GUEST_IA32_PAT, .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_IA32_PAT)}},
    {"guest-efer-reserved",
     "If VM entry loads it, GUEST_IA32_EFER has no bits set other than SCE, LME, LMA and "
     "NXE.",
     "a guest's WRMSR was not checked, or EFER of AMD's processors was written",
     MUST_CLEAR(GUEST_IA32_EFER, ~(uint64_t)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)),
     .when = WHEN_EFER},
    {"guest-efer-lma",
     "If VM entry loads it, GUEST_IA32_EFER.LMA equals the control \"IA-32e mode "
     "guest\".",
     CAUSE_MODE, test_efer_lma, .value = VALUE_GUEST_IA32_EFER, .when = WHEN_EFER},
    {"guest-efer-lme",
     "If VM entry loads it, GUEST_IA32_EFER.LME equals LMA while GUEST_CR0.PG is 1.",
     "the guest switched paging and LMA was not updated", test_efer_lme,
     .value = VALUE_GUEST_IA32_EFER, .when = WHEN_EFER, .root = "guest-efer-lma"},
    {"guest-bndcfgs-reserved",
     "If VM entry loads it, bits 11:2 of GUEST_IA32_BNDCFGS are 0.", NULL,
     MUST_CLEAR(GUEST_IA32_BNDCFGS, BITS_MASK(11, 2)),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_IA32_BNDCFGS)}},
    {"guest-bndcfgs-canonical",
     "If VM entry loads it, the address in GUEST_IA32_BNDCFGS is canonical.", NULL,
     CANONICAL(GUEST_IA32_BNDCFGS),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_IA32_BNDCFGS)}},
    {"guest-rtit-ctl",
     "If VM entry loads it, GUEST_IA32_RTIT_CTL has no bits that no processor defines.",
     NULL, MUST_CLEAR(GUEST_IA32_RTIT_CTL, RTIT_CTL_RESERVED),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_IA32_RTIT_CTL)}},
    {"guest-lbr-ctl",
     "If VM entry loads it, bits 63:23 and 15:4 of GUEST_IA32_LBR_CTL are 0.", NULL,
     MUST_CLEAR(GUEST_IA32_LBR_CTL, LBR_CTL_RESERVED),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_IA32_LBR_CTL)}},
    {"guest-pkrs", "If VM entry loads PKRS, bits 63:32 of GUEST_IA32_PKRS are 0.", NULL,
     MUST_CLEAR(GUEST_IA32_PKRS, HIGH_HALF),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_PKRS)}},
    {"guest-uinv", "If VM entry loads UINV, bits 15:8 of GUEST_UINV are 0.", NULL,
     MUST_CLEAR(GUEST_UINV, BITS_MASK(15, 8)),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_UINV)}},
    {"guest-fred-config",
     "If VM entry loads FRED, bits 11, 5:4 and 2 of GUEST_FRED_CONFIG are 0.", NULL,
     MUST_CLEAR(GUEST_FRED_CONFIG, FRED_CONFIG_RESERVED), .when = WHEN_FRED},
    {"guest-fred-config-canonical",
     "If VM entry loads FRED, the address in GUEST_FRED_CONFIG is canonical.", NULL,
     CANONICAL(GUEST_FRED_CONFIG), .when = WHEN_FRED},
    {"guest-fred-rsp-canonical",
     "If VM entry loads FRED, GUEST_FRED_RSP1 to GUEST_FRED_RSP3 are canonical.", NULL,
     CANONICAL(GUEST_FRED_RSP1), .count = 3, .when = WHEN_FRED},
    {"guest-fred-rsp-aligned",
     "If VM entry loads FRED, GUEST_FRED_RSP1 to GUEST_FRED_RSP3 are multiples of 64.",
     NULL, MUST_CLEAR(GUEST_FRED_RSP1, BITS_MASK(5, 0)), .count = 3, .when = WHEN_FRED},
    {"guest-fred-ssp-canonical",
     "If VM entry loads FRED, GUEST_FRED_SSP1 to GUEST_FRED_SSP3 are canonical.", NULL,
     CANONICAL(GUEST_FRED_SSP1), .count = 3, .when = WHEN_FRED},
    {"guest-fred-ssp-aligned",
     "If VM entry loads FRED, GUEST_FRED_SSP1 to GUEST_FRED_SSP3 are multiples of 8.",
     NULL, MUST_CLEAR(GUEST_FRED_SSP1, BITS_MASK(2, 0)), .count = 3, .when = WHEN_FRED},
};

VMX_SECTION(vmx_rules_guest_msrs,
            "\"Checks on Guest Control Registers, Debug Registers, and MSRs\"",
            ENTRY_GUEST_STATE, msr_rows);
