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
    {"no-mov-ss-blocking", "MOV SS does not block events at the instruction.",
     "MOV SS or POP SS right before VMLAUNCH or VMRESUME", MUST_CLEAR(MOV_SS_BLOCKING, 1),
     .qualification = VMX_ERROR_MOV_SS},
    {"executive-pointer-address",
     "An entry that leaves SMM has an executive-VMCS pointer that is a multiple of 4096 "
     "within the physical-address width.",
     NULL, ALIGNED_ADDRESS(EXECUTIVE_VMCS_POINTER, PAGE_SIZE),
     .qualification = VMX_ERROR_EXECUTIVE_POINTER,
     .when          = {ON(IN_SMM, BIT(0)), OFF(ENTRY_CONTROLS, VM_ENTRY_TO_SMM)}},
};

VMX_SECTION(vmx_rules_instruction, "\"Basic VM-Entry Checks\"", ENTRY_INSTRUCTION,
            instruction_rows);
