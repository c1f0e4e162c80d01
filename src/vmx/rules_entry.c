/* The rules for VM-entry control fields and for the event to inject: see rules.h. */
#include "vmx/rules.h"

#include "x86/exceptions.h"
#include "x86/instruction_format.h"
#include "x86/msr.h"

static const struct entry_rule rows[] = {
    {"entry-controls",
     "The VM-entry controls have the settings that IA32_VMX_ENTRY_CTLS allows, or its "
     "TRUE MSR.",
     CAUSE_CAPABILITY, vmx_test_true_control, .value = VALUE_ENTRY_CONTROLS,
     .other = VALUE_IA32_VMX_ENTRY_CTLS},
    {"entry-msr-load-address",
     "The VM-entry MSR-load area, if not empty, is at a multiple of 16 and ends within "
     "the physical-address width.",
     CAUSE_AREA, vmx_test_msr_area, .value = VALUE_ENTRY_MSR_LOAD_ADDRESS,
     .other = VALUE_ENTRY_MSR_LOAD_COUNT},
    {"smm-controls-outside-smm",
     "Outside SMM, the controls \"entry to SMM\" and \"deactivate dual-monitor "
     "treatment\" are 0.",
     "all bits were set that the capability MSR allows",
     MUST_CLEAR(ENTRY_CONTROLS, VM_ENTRY_TO_SMM | VM_ENTRY_DEACTIVATE_DUAL_MONITOR),
     .when = {OFF(IN_SMM, BIT(0))}},
    {"smm-controls-exclusive",
     "The controls \"entry to SMM\" and \"deactivate dual-monitor treatment\" are not "
     "both 1.",
     "all bits were set that the capability MSR allows",
     MUST_CLEAR(ENTRY_CONTROLS, VM_ENTRY_DEACTIVATE_DUAL_MONITOR),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_TO_SMM)}, .root = "smm-controls-outside-smm"},
    {"rtit-load-while-tracing",
     "VM entry does not load IA32_RTIT_CTL while Intel PT traces the host.", NULL,
     MUST_CLEAR(ENTRY_CONTROLS, VM_ENTRY_LOAD_IA32_RTIT_CTL),
     .when = {ON(CURRENT_RTIT_CTL, RTIT_CTL_TRACE_ENABLE)}},
};

VMX_SECTION(vmx_rules_entry, "\"Checks on VMX Controls\", \"VM-Entry Control Fields\"",
            ENTRY_CONTROLS, rows);

/* ---- The event to inject */

#define VECTOR_MASK UINT64_C(0xFF)

static uint64_t event_type(uint64_t event)
{
    return event & INTERRUPTION_TYPE;
}

/* Type 1 is reserved, and type 7 without the monitor trap flag. */
static enum entry_verdict test_type(struct entry_query *query)
{
    uint64_t event   = entry_read_own(query);
    uint64_t others  = event & ~(uint64_t)INTERRUPTION_TYPE;
    uint64_t allowed = 0;

    if (event_type(event) == INTERRUPTION_RESERVED_TYPE)
        return entry_require(query, others | INTERRUPTION_EXTERNAL);
    if (event_type(event) != INTERRUPTION_OTHER_EVENT)
        return ENTRY_HOLDS;
    allowed = entry_read(query, VALUE_IA32_VMX_PROCBASED_CTLS) >> 32;
    return (allowed & PRIMARY_MONITOR_TRAP_FLAG) != 0
               ? ENTRY_HOLDS
               : entry_require(query, others | INTERRUPTION_HARDWARE_EXCEPTION);
}

/* With FRED, vectors 1 and 2 of other events are SYSCALL and SYSENTER. */
static enum entry_verdict test_other_event(struct entry_query *query, uint64_t event)
{
    bool is_fred   = rule_is_on(query, VALUE_GUEST_CR4, CR4_FRED);
    uint64_t limit = is_fred ? 2 : 0;

    return (event & VECTOR_MASK) <= limit ? ENTRY_HOLDS
                                          : entry_require(query, event & ~VECTOR_MASK);
}

static enum entry_verdict test_vector(struct entry_query *query)
{
    uint64_t event  = entry_read_own(query);
    uint64_t vector = event & VECTOR_MASK;

    switch (event_type(event)) {
    case INTERRUPTION_NMI:
        return entry_require(query, (event & ~VECTOR_MASK) | VECTOR_NMI);
    case INTERRUPTION_HARDWARE_EXCEPTION:
        return vector < 32 ? ENTRY_HOLDS
                           : entry_require(query, (event & ~VECTOR_MASK) | vector % 32);
    case INTERRUPTION_OTHER_EVENT:
        return test_other_event(query, event);
    default:
        return ENTRY_HOLDS;
    }
}

/* Returns whether the guest starts in real-address mode. */
static bool guest_is_in_real_mode(struct entry_query *query)
{
    return !rule_is_on(query, VALUE_GUEST_CR0, CR0_PE) &&
           rule_is_on(query, VALUE_SECONDARY, SECONDARY_UNRESTRICTED_GUEST);
}

/* Returns whether a hardware exception with that vector has an error code. */
static bool has_error_code(uint64_t vector)
{
    const uint32_t vectors = BIT(VECTOR_DF) | BIT(VECTOR_TS) | BIT(VECTOR_NP) |
                             BIT(VECTOR_SS) | BIT(VECTOR_GP) | BIT(VECTOR_PF) |
                             BIT(VECTOR_AC);
    return vector < 32 && (vectors & BIT(vector)) != 0;
}

static enum entry_verdict test_error_code_bit(struct entry_query *query)
{
    uint64_t event = entry_read_own(query);
    uint64_t clear = event & ~(uint64_t)INTERRUPTION_ERROR_CODE;

    if (event_type(event) != INTERRUPTION_HARDWARE_EXCEPTION)
        return entry_require(query, clear);
    if (guest_is_in_real_mode(query))
        return entry_require(query, clear);
    if (rule_is_on(query, VALUE_IA32_VMX_BASIC, VMX_BASIC_ANY_ERROR_CODE))
        return ENTRY_HOLDS;
    return entry_require(
        query,
        clear | (has_error_code(event & VECTOR_MASK) ? INTERRUPTION_ERROR_CODE : 0));
}

/* Bit 13 is the nested-exception bit if the processor has it. */
static enum entry_verdict test_reserved(struct entry_query *query)
{
    uint64_t event    = entry_read_own(query);
    uint64_t reserved = BITS_MASK(30, 12);

    if ((event & INTERRUPTION_NESTED_EXCEPTION) != 0 &&
        event_type(event) == INTERRUPTION_HARDWARE_EXCEPTION &&
        rule_is_on(query, VALUE_IA32_VMX_BASIC, VMX_BASIC_NESTED_EXCEPTIONS))
        reserved &= ~(uint64_t)INTERRUPTION_NESTED_EXCEPTION;
    return entry_require(query, event & ~reserved);
}

static enum entry_verdict test_instruction_length(struct entry_query *query)
{
    uint64_t event  = entry_read(query, VALUE_ENTRY_INTERRUPTION_INFORMATION);
    uint64_t type   = event_type(event);
    uint64_t length = entry_read_own(query);

    if (type == INTERRUPTION_OTHER_EVENT && (event & VECTOR_MASK) != 0)
        return length <= INSTRUCTION_LENGTH_MAX ||
                       !rule_is_on(query, VALUE_GUEST_CR4, CR4_FRED)
                   ? ENTRY_HOLDS
                   : entry_violate(query, length, INSTRUCTION_LENGTH_MAX);
    if (type != INTERRUPTION_SOFTWARE_INTERRUPT &&
        type != INTERRUPTION_PRIVILEGED_SOFTWARE &&
        type != INTERRUPTION_SOFTWARE_EXCEPTION)
        return ENTRY_NOT_APPLICABLE;
    if (length > INSTRUCTION_LENGTH_MAX)
        return entry_violate(query, length, INSTRUCTION_LENGTH_MAX);
    if (length > 0 ||
        rule_is_on(query, VALUE_IA32_VMX_MISC, VMX_MISC_INJECTION_LENGTH_ZERO))
        return ENTRY_HOLDS;
    return entry_violate(query, BITS_MASK(3, 0), 1);
}

static const struct entry_rule injection_rows[] = {
    {"injected-type",
     "The type of an event to inject is not 1, and 7 only if the processor has the "
     "monitor trap flag.",
     "the vector and the type were combined wrongly", test_type,
     .value = VALUE_ENTRY_INTERRUPTION_INFORMATION, .when = {WHEN_INJECTING}},
    {"injected-vector",
     "The vector of an NMI to inject is 2, of a hardware exception at most 31, of "
     "another event 0 (with FRED at most 2).",
     "an interrupt was injected as an exception", test_vector,
     .value = VALUE_ENTRY_INTERRUPTION_INFORMATION, .when = {WHEN_INJECTING}},
    {"injected-error-code-bit",
     "Bit 11 of an event to inject is 1 only for hardware exceptions in protected mode "
     "and, unless IA32_VMX_BASIC[56] is set, exactly for vectors 8, 10 to 14 and 17.",
     "an exception with an error code was injected without one, or in real mode",
     test_error_code_bit, .value = VALUE_ENTRY_INTERRUPTION_INFORMATION,
     .when = {WHEN_INJECTING}, .root = "injected-type"},
    {"injected-reserved",
     "Bits 30:12 of an event to inject are 0, except bit 13 of a hardware exception with "
     "FRED.",
     "IDT-vectoring information was copied with its undefined bit 12", test_reserved,
     .value = VALUE_ENTRY_INTERRUPTION_INFORMATION, .when = {WHEN_INJECTING}},
    {"injected-error-code", "Bits 31:16 of an error code to inject are 0.",
     "the error code was not initialized, or has the bit of SGX",
     MUST_CLEAR(ENTRY_EXCEPTION_ERROR_CODE, BITS_MASK(31, 16)),
     .when = {WHEN_INJECTING,
              ON(ENTRY_INTERRUPTION_INFORMATION, INTERRUPTION_ERROR_CODE)}},
    {"injected-instruction-length",
     "The instruction length of a software interrupt or exception to inject is 1 to 15, "
     "or 0 if IA32_VMX_MISC[30] is set; of SYSCALL and SYSENTER with FRED at most 15.",
     "the length of the VM exit was not copied", test_instruction_length,
     .value = VALUE_ENTRY_INSTRUCTION_LENGTH, .when = {WHEN_INJECTING},
     .root = "injected-type"},
};

VMX_SECTION(vmx_rules_injection,
            "\"Checks on VMX Controls\", \"VM-Entry Control Fields\"", ENTRY_CONTROLS,
            injection_rows);
