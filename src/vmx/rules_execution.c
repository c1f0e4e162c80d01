/*
 * The rules for VM-execution control fields: see rules.h. Those for EPT and the features
 * on top of it are in rules_execution_ept.c, those for the APIC in
 * rules_execution_apic.c.
 */
#include "vmx/rules.h"

/* SDM 3D, "Miscellaneous Data". */
static enum entry_verdict test_cr3_targets(struct entry_query *query)
{
    uint64_t misc  = entry_read(query, VALUE_IA32_VMX_MISC);
    uint64_t count = entry_read_own(query);
    uint64_t limit = BITS_GET(misc, 24, 16);

    return count <= limit ? ENTRY_HOLDS : entry_violate(query, count, limit);
}

static const struct entry_rule rows[] = {
    {"pin-based-controls",
     "The pin-based controls have the settings that IA32_VMX_PINBASED_CTLS allows, or "
     "its TRUE MSR.",
     CAUSE_CAPABILITY, vmx_test_true_control, .value = VALUE_PIN_BASED_CONTROLS,
     .other = VALUE_IA32_VMX_PINBASED_CTLS},
    {"primary-controls",
     "The primary processor-based controls have the settings that "
     "IA32_VMX_PROCBASED_CTLS allows, or its TRUE MSR.",
     CAUSE_CAPABILITY, vmx_test_true_control, .value = VALUE_PRIMARY_CONTROLS,
     .other = VALUE_IA32_VMX_PROCBASED_CTLS},
    {"secondary-controls",
     "The secondary processor-based controls, if activated, have the settings that "
     "IA32_VMX_PROCBASED_CTLS2 allows.",
     CAUSE_CAPABILITY, vmx_test_control, .value = VALUE_SECONDARY_CONTROLS,
     .other = VALUE_IA32_VMX_PROCBASED_CTLS2,
     .when  = {ON(PRIMARY_CONTROLS, PRIMARY_ACTIVATE_SECONDARY_CONTROLS)}},
    {"tertiary-controls",
     "The tertiary processor-based controls, if activated, have only bits that "
     "IA32_VMX_PROCBASED_CTLS3 allows.",
     CAUSE_CAPABILITY, vmx_test_allowed_1, .value = VALUE_TERTIARY_CONTROLS,
     .other = VALUE_IA32_VMX_PROCBASED_CTLS3,
     .when  = {ON(PRIMARY_CONTROLS, PRIMARY_ACTIVATE_TERTIARY_CONTROLS)}},
    {"cr3-target-count",
     "The CR3-target count is at most the number in IA32_VMX_MISC[24:16], which is 4.",
     "the field was not initialized", test_cr3_targets, .value = VALUE_CR3_TARGET_COUNT},
    {"io-bitmap-address",
     "The address of an I/O bitmap is a multiple of 4096 within the physical-address "
     "width.",
     "a virtual address, or memory that is not page-aligned",
     ALIGNED_ADDRESS(IO_BITMAP_A, PAGE_SIZE), .count = 2,
     .when = {ON(PRIMARY_CONTROLS, PRIMARY_USE_IO_BITMAPS)}},
    {"msr-bitmap-address",
     "The address of the MSR bitmap is a multiple of 4096 within the physical-address "
     "width.",
     "a virtual address, or memory that is not page-aligned",
     ALIGNED_ADDRESS(MSR_BITMAP, PAGE_SIZE),
     .when = {ON(PRIMARY_CONTROLS, PRIMARY_USE_MSR_BITMAPS)}},
    {"virtual-nmis-need-nmi-exiting", "With virtual NMIs, NMI exiting is on.",
     "virtual NMIs were switched on alone",
     MUST_SET(PIN_BASED_CONTROLS, PIN_BASED_NMI_EXITING),
     .when = {ON(PIN_BASED_CONTROLS, PIN_BASED_VIRTUAL_NMIS)}},
    {"nmi-window-needs-virtual-nmis", "With NMI-window exiting, virtual NMIs are on.",
     "an NMI window was requested on a configuration without virtual NMIs",
     MUST_SET(PIN_BASED_CONTROLS, PIN_BASED_VIRTUAL_NMIS),
     .when = {ON(PRIMARY_CONTROLS, PRIMARY_NMI_WINDOW_EXITING)}},
    {"vpid-not-zero", "With VPIDs enabled, the VPID is not 0, which is the host's.",
     "the field was not initialized, or the VPIDs ran out", NOT_ZERO(VPID, UINT16_MAX, 1),
     .when = {ON(SECONDARY, SECONDARY_ENABLE_VPID)}},
    {"vmcs-shadowing-bitmap-address",
     "With VMCS shadowing, the addresses of the VMREAD and VMWRITE bitmaps are multiples "
     "of 4096 within the physical-address width.",
     "the bitmaps were not allocated", ALIGNED_ADDRESS(VMREAD_BITMAP, PAGE_SIZE),
     .count = 2, .when = {ON(SECONDARY, SECONDARY_VMCS_SHADOWING)}},
    {"tsc-multiplier-not-zero", "With TSC scaling, the multiplier is not 0.",
     "the field was not initialized; 1 << 48 leaves the TSC as it is",
     NOT_ZERO(TSC_MULTIPLIER, UINT64_MAX, BIT(48)),
     .when = {ON(SECONDARY, SECONDARY_USE_TSC_SCALING)}},
    {"pasid-directory-address",
     "With PASID translation, the addresses of the PASID directories are multiples of "
     "4096 within the physical-address width.",
     NULL, ALIGNED_ADDRESS(LOW_PASID_DIRECTORY, PAGE_SIZE), .count = 2,
     .when = {ON(SECONDARY, SECONDARY_PASID_TRANSLATION)}},
    {"pt-guest-physical-needs-ept",
     "If Intel PT uses guest-physical addresses, EPT is enabled.", NULL,
     MUST_SET(SECONDARY_CONTROLS, SECONDARY_ENABLE_EPT),
     .when = {ON(SECONDARY, SECONDARY_PT_USES_GUEST_PHYSICAL)}},
    {"pt-guest-physical-needs-entry-load",
     "If Intel PT uses guest-physical addresses, VM entry loads IA32_RTIT_CTL.", NULL,
     MUST_SET(ENTRY_CONTROLS, VM_ENTRY_LOAD_IA32_RTIT_CTL),
     .when = {ON(SECONDARY, SECONDARY_PT_USES_GUEST_PHYSICAL)}},
    {"pt-guest-physical-needs-exit-clear",
     "If Intel PT uses guest-physical addresses, VM exit clears IA32_RTIT_CTL.", NULL,
     MUST_SET(EXIT_CONTROLS, VM_EXIT_CLEAR_IA32_RTIT_CTL),
     .when = {ON(SECONDARY, SECONDARY_PT_USES_GUEST_PHYSICAL)}},
};

VMX_SECTION(vmx_rules_execution,
            "\"Checks on VMX Controls\", \"VM-Execution Control Fields\"", ENTRY_CONTROLS,
            rows);
