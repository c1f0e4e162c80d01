/*
 * The rules for the guest's RIP, RFLAGS and SSP, and for state that is in no register:
 * see rules.h.
 */
#include "virt/segment.h"
#include "vmx/rules.h"
#include "x86/exceptions.h"
#include "x86/msr.h"

/* Returns whether the guest starts in 64-bit mode. */
static bool guest_is_64_bit_code(struct entry_query *query)
{
    return rule_is_on(query, VALUE_ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST) &&
           (rule_access_rights(query, SEGMENT_CS) & CODE_SEGMENT_L) != 0;
}

/*
 * In 64-bit mode bits 63:N are equal, where N is the width of linear addresses: less than
 * canonical. Otherwise bits 63:32 are 0.
 */
static enum entry_verdict test_instruction_pointer(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);

    if (!guest_is_64_bit_code(query))
        return entry_require(query, value & UINT32_MAX);
    uint32_t width = entry_linear_width(query, VALUE_LINEAR_WIDTH, value);
    uint64_t high  = ~(BIT(width) - 1);
    bool is_high   = (value & BIT(width - 1)) != 0;

    if ((value & high) == 0 || (value & high) == high)
        return ENTRY_HOLDS;
    return entry_require(query, is_high ? value | high : value & ~high);
}

static enum entry_verdict test_vm_flag(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);

    if ((value & RFLAGS_VM) == 0)
        return ENTRY_HOLDS;
    if (!rule_is_on(query, VALUE_ENTRY_CONTROLS, VM_ENTRY_IA32E_MODE_GUEST) &&
        rule_is_on(query, VALUE_GUEST_CR0, CR0_PE))
        return ENTRY_HOLDS;
    return entry_require(query, value & ~(uint64_t)RFLAGS_VM);
}

/* Returns whether an event of a type, such as INTERRUPTION_NMI, is injected. */
static bool is_injected(struct entry_query *query, uint64_t type)
{
    uint64_t event = entry_read(query, VALUE_ENTRY_INTERRUPTION_INFORMATION);

    return (event & INTERRUPTION_VALID) != 0 && (event & INTERRUPTION_TYPE) == type;
}

static enum entry_verdict test_if_flag(struct entry_query *query)
{
    if (!is_injected(query, INTERRUPTION_EXTERNAL))
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, entry_read_own(query) | RFLAGS_IF);
}

static enum entry_verdict test_fred_iopl(struct entry_query *query)
{
    if ((rule_access_rights(query, SEGMENT_SS) & SEGMENT_DPL) != SEGMENT_DPL)
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, entry_read_own(query) & ~RFLAGS_IOPL);
}

static const struct entry_rule register_rows[] = {
    {"guest-rip",
     "Outside 64-bit mode bits 63:32 of RIP are 0; in it the bits from the "
     "linear-address width on are equal.",
     "the guest left 64-bit mode, or RIP was not truncated", test_instruction_pointer,
     .value = VALUE_GUEST_RIP},
    {"guest-rflags-reserved", "Bits 63:22, 15, 5 and 3 of RFLAGS are 0.",
     "the field was not initialized", MUST_CLEAR(GUEST_RFLAGS, RFLAGS_RESERVED)},
    {"guest-rflags-fixed", "Bit 1 of RFLAGS is 1.", "RFLAGS was set to 0",
     MUST_SET(GUEST_RFLAGS, RFLAGS_FIXED)},
    {"guest-rflags-vm", "RFLAGS.VM is 0 in IA-32e mode and in real-address mode.",
     "the guest changed modes in virtual-8086 mode", test_vm_flag,
     .value = VALUE_GUEST_RFLAGS},
    {"guest-rflags-if", "RFLAGS.IF is 1 if an external interrupt is injected.",
     "an interrupt was injected without waiting for the interrupt window", test_if_flag,
     .value = VALUE_GUEST_RFLAGS},
    {"guest-fred-iopl", "With GUEST_CR4.FRED, IOPL is 0 at privilege level 3.", NULL,
     test_fred_iopl, .value = VALUE_GUEST_RFLAGS, .when = {ON(GUEST_CR4, CR4_FRED)}},
    {"guest-ssp-aligned", "If VM entry loads CET state, bits 1:0 of GUEST_SSP are 0.",
     NULL, MUST_CLEAR(GUEST_SSP, BITS_MASK(1, 0)),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_CET_STATE)}},
    {"guest-ssp",
     "If VM entry loads CET state, bits 63:32 of GUEST_SSP are 0 outside 64-bit mode; in "
     "it the bits from the linear-address width on are equal.",
     NULL, test_instruction_pointer, .value = VALUE_GUEST_SSP,
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_LOAD_CET_STATE)}},
};

VMX_SECTION(vmx_rules_rip, "\"Checks on Guest RIP, RFLAGS, and SSP\"", ENTRY_GUEST_STATE,
            register_rows);

/* ---- Activity state */

/* States 1 to 3 exist if IA32_VMX_MISC reports them. */
static enum entry_verdict test_activity(struct entry_query *query)
{
    uint64_t state = entry_read_own(query);

    if (state > ACTIVITY_WAIT_FOR_SIPI)
        return entry_require(query, ACTIVITY_ACTIVE);
    if (state == ACTIVITY_ACTIVE ||
        rule_is_on(query, VALUE_IA32_VMX_MISC,
                   VMX_MISC_ACTIVITY_HLT << (state - ACTIVITY_HLT)))
        return ENTRY_HOLDS;
    return entry_require(query, ACTIVITY_ACTIVE);
}

static enum entry_verdict test_halted(struct entry_query *query)
{
    uint64_t state = entry_read_own(query);

    if (state != ACTIVITY_HLT)
        return ENTRY_NOT_APPLICABLE;
    return (rule_access_rights(query, SEGMENT_SS) & SEGMENT_DPL) == 0
               ? ENTRY_HOLDS
               : entry_require(query, ACTIVITY_ACTIVE);
}

static enum entry_verdict test_active(struct entry_query *query)
{
    if (!rule_is_on(query, VALUE_GUEST_INTERRUPTIBILITY_STATE,
                    INTERRUPTIBILITY_STI_OR_MOV_SS))
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, ACTIVITY_ACTIVE);
}

/* Returns whether an event may be injected in HLT. */
static bool wakes_from_halt(uint64_t event)
{
    uint64_t type   = event & INTERRUPTION_TYPE;
    uint64_t vector = INTERRUPTION_VECTOR(event);

    return type == INTERRUPTION_EXTERNAL || type == INTERRUPTION_NMI ||
           (type == INTERRUPTION_HARDWARE_EXCEPTION &&
            (vector == VECTOR_DB || vector == VECTOR_MC)) ||
           (type == INTERRUPTION_OTHER_EVENT && vector == 0);
}

/* Returns whether an event may be injected in shutdown. */
static bool wakes_from_shutdown(uint64_t event)
{
    uint64_t type = event & INTERRUPTION_TYPE;

    return type == INTERRUPTION_NMI || (type == INTERRUPTION_HARDWARE_EXCEPTION &&
                                        INTERRUPTION_VECTOR(event) == VECTOR_MC);
}

static enum entry_verdict test_activity_of_event(struct entry_query *query)
{
    uint64_t event = entry_read(query, VALUE_ENTRY_INTERRUPTION_INFORMATION);
    uint64_t state = entry_read_own(query);

    if (state == ACTIVITY_ACTIVE || state > ACTIVITY_WAIT_FOR_SIPI ||
        (state == ACTIVITY_HLT && wakes_from_halt(event)) ||
        (state == ACTIVITY_SHUTDOWN && wakes_from_shutdown(event)))
        return ENTRY_HOLDS;
    return entry_require(query, ACTIVITY_ACTIVE);
}

static enum entry_verdict test_activity_of_smm(struct entry_query *query)
{
    uint64_t state = entry_read_own(query);

    return state == ACTIVITY_WAIT_FOR_SIPI ? entry_require(query, ACTIVITY_ACTIVE)
                                           : ENTRY_HOLDS;
}

static const struct entry_rule rows[] = {
    {"activity-supported",
     "The activity state is 0 to 3, and one that IA32_VMX_MISC[8:6] reports.",
     "the processor lacks the state: check IA32_VMX_MISC", test_activity,
     .value = VALUE_GUEST_ACTIVITY_STATE},
    {"activity-hlt-needs-dpl-0", "The activity state is HLT only if the DPL of SS is 0.",
     "the guest was halted and then switched to another privilege level", test_halted,
     .value = VALUE_GUEST_ACTIVITY_STATE},
    {"activity-with-blocking",
     "The activity state is active if STI or MOV SS blocks events.",
     "the guest's HLT was emulated and blocking by STI was not cleared", test_active,
     .value = VALUE_GUEST_ACTIVITY_STATE},
    {"activity-of-injected-event",
     "In HLT only interrupts, NMI, #DB, #MC and a pending MTF VM exit are injected, in "
     "shutdown only NMI and #MC, in wait-for-SIPI nothing.",
     "an exception was injected into a halted guest", test_activity_of_event,
     .value = VALUE_GUEST_ACTIVITY_STATE, .when = {WHEN_INJECTING}},
    {"activity-of-smm",
     "With the control \"entry to SMM\", the activity state is not wait-for-SIPI.", NULL,
     test_activity_of_smm, .value = VALUE_GUEST_ACTIVITY_STATE,
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_TO_SMM)}},
};

VMX_SECTION(vmx_rules_state, "\"Checks on Guest Non-Register State\"", ENTRY_GUEST_STATE,
            rows);
