/*
 * The rules for the host-state area, and for the size of addresses: see rules.h. A
 * violation ends VMLAUNCH or VMRESUME with error 8.
 */
#include "vmx/rules.h"
#include "x86/msr.h"

#define CAUSE_SELECTOR \
    "a selector with its RPL or TI; the host ran with selectors of ring 3 or of its LDT"
#define CAUSE_CANONICAL "the field was not initialized, or a 32-bit address was extended"

/* LME and LMA each equal "host address-space size"; the others are SCE and NXE. */
static enum entry_verdict test_efer(struct entry_query *query)
{
    const uint64_t mode = EFER_LME | EFER_LMA;
    uint64_t value      = entry_read_own(query) & (EFER_SCE | EFER_NXE | mode);
    bool is_64_bit =
        rule_is_on(query, VALUE_EXIT_CONTROLS, VM_EXIT_HOST_ADDRESS_SPACE_SIZE);

    return entry_require(query, is_64_bit ? value | mode : value & ~mode);
}

static const struct entry_rule rows[] = {
    {"host-cr0", "HOST_CR0 has the bits that IA32_VMX_CR0_FIXED0 and FIXED1 require.",
     "the field was not initialized", .test = vmx_test_fixed_bits,
     .mask = CR0_CD | CR0_NW, .value = VALUE_HOST_CR0,
     .other = VALUE_IA32_VMX_CR0_FIXED0},
    {"host-cr4", "HOST_CR4 has the bits that IA32_VMX_CR4_FIXED0 and FIXED1 require.",
     "CR4 was read before VMXE was set", vmx_test_fixed_bits, .value = VALUE_HOST_CR4,
     .other = VALUE_IA32_VMX_CR4_FIXED0},
    {"host-cet-needs-wp", "With HOST_CR4.CET, HOST_CR0.WP is 1.", NULL,
     MUST_SET(HOST_CR0, CR0_WP), .when = {ON(HOST_CR4, CR4_CET)}},
    {"host-cr3",
     "HOST_CR3 is within the physical-address width, except bits 62:61 with LAM.",
     "a virtual address, or bit 63 of MOV to CR3", vmx_test_cr3, .value = VALUE_HOST_CR3},
    {"host-sysenter-canonical",
     "HOST_IA32_SYSENTER_ESP and HOST_IA32_SYSENTER_EIP are canonical.", CAUSE_CANONICAL,
     CANONICAL(HOST_IA32_SYSENTER_ESP), .count = 2},
    {"host-perf-global-ctrl",
     "If VM exit loads it, HOST_IA32_PERF_GLOBAL_CTRL has no reserved bits.", NULL,
     vmx_test_performance_control, .value = VALUE_HOST_IA32_PERF_GLOBAL_CTRL,
     .when = {ON(EXIT_CONTROLS, VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL)}},
    {"host-pat", "If VM exit loads it, each byte of HOST_IA32_PAT is 0, 1, 4, 5, 6 or 7.",
     "the field was not initialized", entry_test_pat, .value = VALUE_HOST_IA32_PAT,
     .when = {ON(EXIT_CONTROLS, VM_EXIT_LOAD_IA32_PAT)}},
    {"host-efer",
     "If VM exit loads it, HOST_IA32_EFER has no reserved bits, and LME and LMA equal "
     "the control \"host address-space size\".",
     "the field was not initialized", test_efer, .value = VALUE_HOST_IA32_EFER,
     .when = {ON(EXIT_CONTROLS, VM_EXIT_LOAD_IA32_EFER)}, .root = "host-size-is-current"},
    {"host-s-cet",
     "If VM exit loads CET state, HOST_IA32_S_CET has no reserved bits, and not both "
     "SUPPRESS and TRACKER.",
     NULL, vmx_test_s_cet, .value = VALUE_HOST_IA32_S_CET,
     .when = {ON(EXIT_CONTROLS, VM_EXIT_LOAD_CET_STATE)}},
    {"host-ssp-aligned", "If VM exit loads CET state, bits 1:0 of HOST_SSP are 0.", NULL,
     MUST_CLEAR(HOST_SSP, BITS_MASK(1, 0)),
     .when = {ON(EXIT_CONTROLS, VM_EXIT_LOAD_CET_STATE)}},
    {"host-ssp-table-canonical",
     "If VM exit loads CET state, HOST_INTERRUPT_SSP_TABLE is canonical.", NULL,
     CANONICAL(HOST_INTERRUPT_SSP_TABLE),
     .when = {ON(EXIT_CONTROLS, VM_EXIT_LOAD_CET_STATE)}},
    {"host-pkrs", "If VM exit loads PKRS, bits 63:32 of HOST_IA32_PKRS are 0.", NULL,
     MUST_CLEAR(HOST_IA32_PKRS, HIGH_HALF),
     .when = {ON(EXIT_CONTROLS, VM_EXIT_LOAD_PKRS)}},
    {"host-spec-ctrl",
     "If VM exit loads it, HOST_IA32_SPEC_CTRL has no bits that no processor defines.",
     NULL, MUST_CLEAR(HOST_IA32_SPEC_CTRL, SPEC_CTRL_RESERVED),
     .when = {ON(SECONDARY_EXIT, SECONDARY_VM_EXIT_LOAD_SPEC_CTRL)}},
    {"host-fred-config",
     "If VM exit loads FRED, bits 11, 5:4 and 2 of HOST_FRED_CONFIG are 0.", NULL,
     MUST_CLEAR(HOST_FRED_CONFIG, FRED_CONFIG_RESERVED),
     .when = {ON(SECONDARY_EXIT, SECONDARY_VM_EXIT_LOAD_FRED)}},
    {"host-fred-config-canonical",
     "If VM exit loads FRED, the address in HOST_FRED_CONFIG is canonical.", NULL,
     CANONICAL(HOST_FRED_CONFIG),
     .when = {ON(SECONDARY_EXIT, SECONDARY_VM_EXIT_LOAD_FRED)}},
    {"host-fred-rsp-canonical",
     "If VM exit loads FRED, HOST_FRED_RSP1 to HOST_FRED_RSP3 are canonical.", NULL,
     CANONICAL(HOST_FRED_RSP1), .count = 3,
     .when = {ON(SECONDARY_EXIT, SECONDARY_VM_EXIT_LOAD_FRED)}},
    {"host-fred-rsp-aligned",
     "If VM exit loads FRED, HOST_FRED_RSP1 to HOST_FRED_RSP3 are multiples of 64.", NULL,
     MUST_CLEAR(HOST_FRED_RSP1, BITS_MASK(5, 0)), .count = 3,
     .when = {ON(SECONDARY_EXIT, SECONDARY_VM_EXIT_LOAD_FRED)}},
    {"host-fred-ssp-canonical",
     "If VM exit loads FRED, HOST_FRED_SSP1 to HOST_FRED_SSP3 are canonical.", NULL,
     CANONICAL(HOST_FRED_SSP1), .count = 3,
     .when = {ON(SECONDARY_EXIT, SECONDARY_VM_EXIT_LOAD_FRED)}},
    {"host-fred-ssp-aligned",
     "If VM exit loads FRED, HOST_FRED_SSP1 to HOST_FRED_SSP3 are multiples of 8.", NULL,
     MUST_CLEAR(HOST_FRED_SSP1, BITS_MASK(2, 0)), .count = 3,
     .when = {ON(SECONDARY_EXIT, SECONDARY_VM_EXIT_LOAD_FRED)}},
};

VMX_SECTION(vmx_rules_host_registers,
            "\"Checks on Host Control Registers, MSRs, and SSP\"", ENTRY_HOST_STATE,
            rows);

#define SELECTOR_FLAGS (SELECTOR_RPL | SELECTOR_TI)

static const struct entry_rule segment_rows[] = {
    {"host-selector-flags", "RPL and TI of all host selectors are 0.", CAUSE_SELECTOR,
     MUST_CLEAR(HOST_ES_SELECTOR, SELECTOR_FLAGS), .count = 7},
    {"host-cs-not-null", "HOST_CS_SELECTOR is not null.", "the field was not initialized",
     NOT_ZERO(HOST_CS_SELECTOR, UINT16_MAX, 8)},
    {"host-tr-not-null", "HOST_TR_SELECTOR is not null.",
     "the host never executed LTR, as under UEFI: it needs a TSS of its own",
     NOT_ZERO(HOST_TR_SELECTOR, UINT16_MAX, 8)},
    {"host-ss-not-null", "HOST_SS_SELECTOR of a 32-bit host is not null.", NULL,
     NOT_ZERO(HOST_SS_SELECTOR, UINT16_MAX, 8),
     .when = {OFF(EXIT_CONTROLS, VM_EXIT_HOST_ADDRESS_SPACE_SIZE)}},
    {"host-base-canonical",
     "The bases of the host's FS, GS, TR, GDTR and IDTR are canonical.",
     "a base was computed from a descriptor with 32 bits, or not initialized",
     CANONICAL(HOST_FS_BASE), .count = 5},
};

VMX_SECTION(vmx_rules_host_segments,
            "\"Checks on Host Segment and Descriptor-Table Registers\"", ENTRY_HOST_STATE,
            segment_rows);

/* ---- Checks related to address-space size */

#define WHEN_32_BIT_HOST OFF(EXIT_CONTROLS, VM_EXIT_HOST_ADDRESS_SPACE_SIZE)
#define WHEN_64_BIT_HOST ON(EXIT_CONTROLS, VM_EXIT_HOST_ADDRESS_SPACE_SIZE)
#define WHEN_CET         ON(EXIT_CONTROLS, VM_EXIT_LOAD_CET_STATE)

static const struct entry_rule address_rows[] = {
    {"host-size-is-current",
     "In IA-32e mode, the control \"host address-space size\" is 1.",
     "the control was forgotten on a 64-bit host",
     MUST_SET(EXIT_CONTROLS, VM_EXIT_HOST_ADDRESS_SPACE_SIZE),
     .when = {ON(CURRENT_EFER, EFER_LMA)}},
    {"no-64-bit-host-outside-ia32e",
     "Outside IA-32e mode, the control \"host address-space size\" is 0.", NULL,
     MUST_CLEAR(EXIT_CONTROLS, VM_EXIT_HOST_ADDRESS_SPACE_SIZE),
     .when = {OFF(CURRENT_EFER, EFER_LMA)}},
    {"no-ia32e-guest-outside-ia32e",
     "Outside IA-32e mode, the control \"IA-32e mode guest\" is 0.", NULL,
     MUST_CLEAR(ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST),
     .when = {OFF(CURRENT_EFER, EFER_LMA)}},
    {"no-ia32e-guest-of-32-bit-host",
     "If the control \"host address-space size\" is 0, so is \"IA-32e mode guest\".",
     "the VM-exit control was forgotten on a 64-bit host",
     MUST_CLEAR(ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST), .when = {WHEN_32_BIT_HOST},
     .root = "host-size-is-current"},
    {"host-pcide-needs-64-bit", "HOST_CR4.PCIDE of a 32-bit host is 0.", NULL,
     MUST_CLEAR(HOST_CR4, CR4_PCIDE), .when = {WHEN_32_BIT_HOST},
     .root = "host-size-is-current"},
    {"host-fred-needs-64-bit", "HOST_CR4.FRED of a 32-bit host is 0.", NULL,
     MUST_CLEAR(HOST_CR4, CR4_FRED), .when = {WHEN_32_BIT_HOST},
     .root = "host-size-is-current"},
    {"host-rip-32-bit", "Bits 63:32 of a 32-bit host's RIP are 0.",
     "the VM-exit control \"host address-space size\" was forgotten",
     MUST_CLEAR(HOST_RIP, HIGH_HALF), .when = {WHEN_32_BIT_HOST},
     .root = "host-size-is-current"},
    {"host-cet-32-bit", "Bits 63:32 of a 32-bit host's S_CET and SSP are 0.", NULL,
     MUST_CLEAR(HOST_IA32_S_CET, HIGH_HALF), .count = 2,
     .when = {WHEN_32_BIT_HOST, WHEN_CET}, .root = "host-size-is-current"},
    {"host-pae-in-64-bit", "HOST_CR4.PAE of a 64-bit host is 1.",
     "the field was not initialized", MUST_SET(HOST_CR4, CR4_PAE),
     .when = {WHEN_64_BIT_HOST}},
    {"host-rip-canonical", "HOST_RIP of a 64-bit host is canonical.",
     "the field was not initialized", CANONICAL(HOST_RIP), .when = {WHEN_64_BIT_HOST}},
    {"host-cet-canonical", "S_CET and SSP of a 64-bit host are canonical.", NULL,
     CANONICAL(HOST_IA32_S_CET), .count = 2, .when = {WHEN_64_BIT_HOST, WHEN_CET}},
};

VMX_SECTION(vmx_rules_address_space, "\"Checks Related to Address-Space Size\"",
            ENTRY_HOST_STATE, address_rows);
