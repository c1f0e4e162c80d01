/* The rules for VM-exit control fields, and for the instruction itself: see rules.h. */
#include "vmx/rules.h"

static const struct entry_rule rows[] = {
    {"exit-controls",
     "The VM-exit controls have the settings that IA32_VMX_EXIT_CTLS allows, or its TRUE "
     "MSR.",
     CAUSE_CAPABILITY, vmx_test_true_control, .value = VALUE_EXIT_CONTROLS,
     .other = VALUE_IA32_VMX_EXIT_CTLS},
    {"secondary-exit-controls",
     "The secondary VM-exit controls, if activated, have only bits that "
     "IA32_VMX_EXIT_CTLS2 allows.",
     CAUSE_CAPABILITY, vmx_test_allowed_1, .value = VALUE_SECONDARY_EXIT_CONTROLS,
     .other = VALUE_IA32_VMX_EXIT_CTLS2,
     .when  = {ON(EXIT_CONTROLS, VM_EXIT_ACTIVATE_SECONDARY_CONTROLS)}},
    {"save-timer-needs-timer",
     "Saving the VMX-preemption timer at VM exits requires that the timer is activated.",
     "the VM-exit control stayed set when the timer was switched off",
     MUST_SET(PIN_BASED_CONTROLS, PIN_BASED_ACTIVATE_PREEMPTION_TIMER),
     .when = {ON(EXIT_CONTROLS, VM_EXIT_SAVE_PREEMPTION_TIMER)}},
    {"exit-msr-store-address",
     "The VM-exit MSR-store area, if not empty, is at a multiple of 16 and ends within "
     "the physical-address width.",
     CAUSE_AREA, vmx_test_msr_area, .value = VALUE_EXIT_MSR_STORE_ADDRESS,
     .other = VALUE_EXIT_MSR_STORE_COUNT},
    {"exit-msr-load-address",
     "The VM-exit MSR-load area, if not empty, is at a multiple of 16 and ends within "
     "the physical-address width.",
     CAUSE_AREA, vmx_test_msr_area, .value = VALUE_EXIT_MSR_LOAD_ADDRESS,
     .other = VALUE_EXIT_MSR_LOAD_COUNT},
};

VMX_SECTION(vmx_rules_exit, "\"Checks on VMX Controls\", \"VM-Exit Control Fields\"",
            ENTRY_CONTROLS, rows);

/* ---- Basic checks, and those of the executive VMCS of an entry that leaves SMM */

/* SDM 3C, "Checks on the Executive-VMCS Pointer Field". */
static enum entry_verdict test_executive_is_vmxon(struct entry_query *query)
{
    return entry_require(query, entry_read(query, VALUE_VMXON_POINTER));
}

/* An executive VMCS is checked if its pointer is not the VMXON pointer. */
static enum entry_verdict test_executive_vmcs(struct entry_query *query)
{
    return entry_read(query, VALUE_EXECUTIVE_VMCS_POINTER) ==
                   entry_read(query, VALUE_VMXON_POINTER)
               ? ENTRY_NOT_APPLICABLE
               : entry_test_equal(query);
}

#define WHEN_LEAVING_SMM                                         \
    {                                                            \
        ON(IN_SMM, BIT(0)), OFF(ENTRY_CONTROLS, VM_ENTRY_TO_SMM) \
    }

static const struct entry_rule instruction_rows[] = {
    {"launch-clear-vmcs", "VMLAUNCH needs a VMCS whose launch state is clear.",
     "VMLAUNCH was repeated after a VM exit, where VMRESUME is due",
     MUST_CLEAR(IS_LAUNCHED, BIT(0)), .qualification = VMX_ERROR_LAUNCH_OF_NON_CLEAR,
     .when = {OFF(IS_RESUME, BIT(0))}},
    {"resume-launched-vmcs", "VMRESUME needs a VMCS whose launch state is launched.",
     "the VMCS was cleared by VMCLEAR, such as to move it to another CPU, and VMLAUNCH "
     "is due",
     MUST_SET(IS_LAUNCHED, BIT(0)), .qualification = VMX_ERROR_RESUME_OF_NON_LAUNCHED,
     .when = {ON(IS_RESUME, BIT(0))}},
    {"resume-before-vmxoff",
     "VMRESUME needs a VMCS that was launched since the last VMXON.",
     "VMX was left and entered again, as for the sleep of the machine, and VMCLEAR was "
     "forgotten",
     MUST_CLEAR(VMXOFF_SINCE_LAUNCH, BIT(0)),
     .qualification = VMX_ERROR_RESUME_AFTER_VMXOFF, .when = {ON(IS_RESUME, BIT(0))}},
    {"no-mov-ss-blocking", "MOV SS does not block events at the instruction.",
     "MOV SS or POP SS right before VMLAUNCH or VMRESUME", MUST_CLEAR(MOV_SS_BLOCKING, 1),
     .qualification = VMX_ERROR_MOV_SS},
    {"executive-pointer-address",
     "An entry that leaves SMM has an executive-VMCS pointer that is a multiple of 4096 "
     "within the physical-address width.",
     NULL, ALIGNED_ADDRESS(EXECUTIVE_VMCS_POINTER, PAGE_SIZE),
     .qualification = VMX_ERROR_EXECUTIVE_POINTER, .when = WHEN_LEAVING_SMM},
    {"executive-vmcs-launched",
     "An entry that leaves SMM for a guest has an executive VMCS that is launched.", NULL,
     test_executive_vmcs, 1, 0, VALUE_EXECUTIVE_IS_CLEAR,
     .qualification = VMX_ERROR_EXECUTIVE_NOT_LAUNCHED, .when = WHEN_LEAVING_SMM},
    {"executive-pointer-is-vmxon",
     "An entry that deactivates the dual-monitor treatment has the VMXON pointer as the "
     "executive-VMCS pointer.",
     NULL, test_executive_is_vmxon, .value = VALUE_EXECUTIVE_VMCS_POINTER,
     .qualification = VMX_ERROR_EXECUTIVE_NOT_VMXON,
     .when = {ON(IN_SMM, BIT(0)), ON(ENTRY_CONTROLS, VM_ENTRY_DEACTIVATE_DUAL_MONITOR)}},
    {"executive-vmcs-controls",
     "An entry that leaves SMM for a guest has valid VM-execution controls in the "
     "executive VMCS.",
     NULL, test_executive_vmcs, 1, 0, VALUE_EXECUTIVE_IS_INVALID,
     .qualification = VMX_ERROR_EXECUTIVE_CONTROLS, .when = WHEN_LEAVING_SMM},
};

VMX_SECTION(vmx_rules_instruction, "\"Basic VM-Entry Checks\"", ENTRY_INSTRUCTION,
            instruction_rows);
