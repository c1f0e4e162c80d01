/* See entry_rules.h. */
#include "vmx/entry_rules.h"

#include "vmx/rules.h"

/* ---- The snapshot */

/* Derives the controls in effect: 0 if a flag of others does not activate them. */
static void derive_controls(struct entry_snapshot *snapshot, uint32_t derived,
                            uint32_t field, uint32_t activating, uint64_t flag)
{
    bool is_active = (snapshot->value[activating] & flag) != 0;

    if (!entry_snapshot_has(snapshot, activating) ||
        (is_active && !entry_snapshot_has(snapshot, field)))
        entry_snapshot_remove(snapshot, derived);
    else
        entry_snapshot_set(snapshot, derived, is_active ? snapshot->value[field] : 0);
}

static void derive(struct entry_snapshot *snapshot)
{
    derive_controls(snapshot, VALUE_SECONDARY, VALUE_SECONDARY_CONTROLS,
                    VALUE_PRIMARY_CONTROLS, PRIMARY_ACTIVATE_SECONDARY_CONTROLS);
    derive_controls(snapshot, VALUE_TERTIARY, VALUE_TERTIARY_CONTROLS,
                    VALUE_PRIMARY_CONTROLS, PRIMARY_ACTIVATE_TERTIARY_CONTROLS);
    derive_controls(snapshot, VALUE_SECONDARY_EXIT, VALUE_SECONDARY_EXIT_CONTROLS,
                    VALUE_EXIT_CONTROLS, VM_EXIT_ACTIVATE_SECONDARY_CONTROLS);
}

void vmx_entry_set_capabilities(struct entry_snapshot *snapshot,
                                const struct vmx_capabilities *capabilities)
{
    for (uint32_t i = 0; i < VMX_MSR_COUNT; i++) {
        enum vmx_msr msr                  = (enum vmx_msr)(VMX_MSR_FIRST + i);
        const struct msr_reading *reading = vmx_capability(capabilities, msr);
        if (reading->state == MSR_READ || !vmx_msr_exists(capabilities, msr))
            entry_snapshot_set(snapshot, VALUE_IA32_VMX_BASIC + i, reading->value);
    }
}

void vmx_entry_set_cpuid(struct entry_snapshot *snapshot, cpuid_reader *read)
{
    struct cpuid_result structured =
        cpuid_read_existing(CPUID_LEAF_STRUCTURED_FEATURES, 0, read);
    struct cpuid_result performance =
        cpuid_read_existing(CPUID_LEAF_PERFORMANCE_MONITORING, 0, read);
    uint32_t sizes = cpuid_read_existing(CPUID_LEAF_ADDRESS_SIZES, 0, read).eax;
    const struct {
        uint32_t value, content;
    } rows[] = {
        {VALUE_PHYSICAL_WIDTH, CPUID_80000008_EAX_PHYSICAL(sizes)},
        {VALUE_LINEAR_WIDTH, CPUID_80000008_EAX_LINEAR(sizes)},
        {VALUE_CPUID_7_EBX, structured.ebx},
        {VALUE_CPUID_7_ECX, structured.ecx},
        {VALUE_CPUID_7_EDX, structured.edx},
        {VALUE_CPUID_7_1_EAX,
         cpuid_read_existing(CPUID_LEAF_STRUCTURED_FEATURES, 1, read).eax},
        {VALUE_CPUID_A_EAX, performance.eax},
        {VALUE_CPUID_A_ECX, performance.ecx},
        {VALUE_CPUID_A_EDX, performance.edx},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        entry_snapshot_set(snapshot, rows[i].value, rows[i].content);
    if (sizes != 0)
        return;
    entry_snapshot_remove(snapshot, VALUE_PHYSICAL_WIDTH); /* not known */
    entry_snapshot_remove(snapshot, VALUE_LINEAR_WIDTH);
}

/* ---- The rules */

static const struct entry_section *const sections[] = {
    &vmx_rules_instruction,
    &vmx_rules_execution,
    &vmx_rules_execution_apic,
    &vmx_rules_execution_ept,
    &vmx_rules_exit,
    &vmx_rules_entry,
    &vmx_rules_injection,
    &vmx_rules_address_space,
    &vmx_rules_host_registers,
    &vmx_rules_host_segments,
    &vmx_rules_guest_registers,
    &vmx_rules_guest_msrs,
    &vmx_rules_segments,
    &vmx_rules_system_segments,
    &vmx_rules_tables,
    &vmx_rules_rip,
    &vmx_rules_state,
    &vmx_rules_interruptibility,
    &vmx_rules_pdptes,
    &vmx_rules_msr_loading,
};

const struct entry_rules vmx_entry_rules = {
    .value_names     = vmx_entry_value_names,
    .value_count     = VMX_ENTRY_VALUES,
    .bit_names       = vmx_entry_bit_names,
    .bit_names_count = VMX_BIT_NAMES,
    .sections        = sections,
    .section_count   = ARRAY_SIZE(sections),
    .derive          = derive,
};

/* ---- Failures */

/* Returns whether the rule of a basic check has this error number. */
static bool is_instruction_error(uint32_t error)
{
    for (size_t i = 0; i < vmx_rules_instruction.count; i++) {
        if (vmx_rules_instruction.rules[i].qualification == error)
            return true;
    }
    return false;
}

static uint64_t phases_of_error(uint32_t error)
{
    if (error == VMX_ERROR_INVALID_CONTROLS)
        return BIT(ENTRY_CONTROLS);
    if (error == VMX_ERROR_INVALID_HOST_STATE)
        return BIT(ENTRY_HOST_STATE);
    return is_instruction_error(error) ? BIT(ENTRY_INSTRUCTION) : 0;
}

static uint64_t phases_of_reason(uint32_t reason)
{
    if ((reason & EXIT_REASON_ENTRY_FAILURE) == 0)
        return 0;
    switch (EXIT_REASON_BASIC(reason)) {
    case EXIT_REASON_INVALID_GUEST_STATE:
        return BIT(ENTRY_GUEST_STATE);
    case EXIT_REASON_MSR_LOADING:
        return BIT(ENTRY_MSR_LOADING);
    default: /* a machine check, which no field causes */
        return 0;
    }
}

void vmx_entry_set_implied(struct entry_snapshot *snapshot, uint32_t error)
{
    static const struct {
        uint8_t error, content;
        uint16_t value;
    } rows[] = {
        {VMX_ERROR_LAUNCH_OF_NON_CLEAR, 0, VALUE_IS_RESUME},
        {VMX_ERROR_LAUNCH_OF_NON_CLEAR, 1, VALUE_IS_LAUNCHED},
        {VMX_ERROR_RESUME_OF_NON_LAUNCHED, 1, VALUE_IS_RESUME},
        {VMX_ERROR_RESUME_OF_NON_LAUNCHED, 0, VALUE_IS_LAUNCHED},
        {VMX_ERROR_RESUME_AFTER_VMXOFF, 1, VALUE_IS_RESUME},
        {VMX_ERROR_RESUME_AFTER_VMXOFF, 1, VALUE_VMXOFF_SINCE_LAUNCH},
        {VMX_ERROR_MOV_SS, 1, VALUE_MOV_SS_BLOCKING},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].error == error)
            entry_snapshot_set(snapshot, rows[i].value, rows[i].content);
    }
}

uint64_t vmx_entry_phases(const struct vmx_entry_failure *failure)
{
    if (failure->error != 0)
        return phases_of_error(failure->error);
    return phases_of_reason(failure->reason);
}
