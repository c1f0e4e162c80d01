/*
 * The rules for the guest's interruptibility state, pending debug exceptions and VMCS
 * link pointer: see rules.h.
 */
#include "virt/segment.h"
#include "vmx/rules.h"
#include "x86/msr.h"

/* Bit 4 needs SGX. */
static enum entry_verdict test_reserved(struct entry_query *query)
{
    uint64_t value = entry_read_own(query) & BITS_MASK(4, 0);

    if ((value & INTERRUPTIBILITY_ENCLAVE) != 0 &&
        !rule_is_on(query, VALUE_CPUID_7_EBX, CPUID_7_EBX_SGX))
        value &= ~INTERRUPTIBILITY_ENCLAVE;
    return entry_require(query, value);
}

static enum entry_verdict test_sti_and_mov_ss(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);

    return (value & INTERRUPTIBILITY_STI_OR_MOV_SS) == INTERRUPTIBILITY_STI_OR_MOV_SS
               ? entry_require(query, value & ~INTERRUPTIBILITY_STI)
               : ENTRY_HOLDS;
}

/* Clears the bits of mask if an event of the type in expected is injected. */
static enum entry_verdict test_injected(struct entry_query *query)
{
    uint64_t event = entry_read(query, VALUE_ENTRY_INTERRUPTION_INFORMATION);

    if ((event & INTERRUPTION_TYPE) != query->rule->expected)
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, entry_read_own(query) & ~query->rule->mask);
}

/* Processors differ in this; the exit qualification shows whether one checks it. */
static enum entry_verdict test_nmi_after_sti(struct entry_query *query)
{
    uint64_t event = entry_read(query, VALUE_ENTRY_INTERRUPTION_INFORMATION);
    uint64_t value = entry_read_own(query);

    if ((event & INTERRUPTION_TYPE) != INTERRUPTION_NMI ||
        (value & INTERRUPTIBILITY_STI) == 0)
        return ENTRY_NOT_APPLICABLE;
    bool failed = entry_read(query, VALUE_EXIT_REASON) ==
                      (EXIT_REASON_INVALID_GUEST_STATE | EXIT_REASON_ENTRY_FAILURE) &&
                  entry_read(query, VALUE_EXIT_QUALIFICATION) == ENTRY_FAILURE_NMI;
    return failed ? entry_require(query, value & ~INTERRUPTIBILITY_STI) : ENTRY_UNKNOWN;
}

static enum entry_verdict test_fred_sti(struct entry_query *query)
{
    if ((rule_access_rights(query, SEGMENT_SS) & SEGMENT_DPL) != SEGMENT_DPL)
        return ENTRY_NOT_APPLICABLE;
    return entry_require(query, entry_read_own(query) & ~INTERRUPTIBILITY_STI);
}

/* ---- Pending debug exceptions */

/* Bits 11 and 16 need features of the processor. */
static enum entry_verdict test_pending_reserved(struct entry_query *query)
{
    uint64_t value   = entry_read_own(query);
    uint64_t nearest = value & PENDING_DEBUG_DEFINED;

    if (nearest != value)
        return entry_require(query, nearest);
    if ((value & PENDING_DEBUG_BUS_LOCK) != 0 &&
        !rule_is_on(query, VALUE_CPUID_7_ECX, CPUID_7_ECX_BUS_LOCK_DETECT))
        nearest &= ~PENDING_DEBUG_BUS_LOCK;
    if ((value & PENDING_DEBUG_RTM) != 0 &&
        !rule_is_on(query, VALUE_CPUID_7_EBX, CPUID_7_EBX_RTM))
        nearest &= ~PENDING_DEBUG_RTM;
    return entry_require(query, nearest);
}

/* If the guest's next instruction traps, its single step is pending. */
static enum entry_verdict test_single_step(struct entry_query *query)
{
    bool is_blocked = rule_is_on(query, VALUE_GUEST_INTERRUPTIBILITY_STATE,
                                 INTERRUPTIBILITY_STI_OR_MOV_SS);

    if (!is_blocked && entry_read(query, VALUE_GUEST_ACTIVITY_STATE) != ACTIVITY_HLT)
        return ENTRY_NOT_APPLICABLE;
    bool is_pending = rule_is_on(query, VALUE_GUEST_RFLAGS, RFLAGS_TF) &&
                      !rule_is_on(query, VALUE_GUEST_IA32_DEBUGCTL, DEBUGCTL_BTF);
    uint64_t others = entry_read_own(query) & ~PENDING_DEBUG_SINGLE_STEP;
    return entry_require(query, others | (is_pending ? PENDING_DEBUG_SINGLE_STEP : 0));
}

static enum entry_verdict test_pending_rtm(struct entry_query *query)
{
    return entry_require(query, PENDING_DEBUG_RTM | PENDING_DEBUG_BREAKPOINT);
}

/* ---- The link pointer, which is not checked if it is all ones */

static enum entry_verdict test_link_address(struct entry_query *query)
{
    return entry_read_own(query) == UINT64_MAX ? ENTRY_NOT_APPLICABLE
                                               : entry_test_address(query);
}

/* Bit 31 of the revision marks a shadow VMCS. */
static enum entry_verdict test_link_revision(struct entry_query *query)
{
    if (entry_read(query, VALUE_LINK_POINTER) == UINT64_MAX)
        return ENTRY_NOT_APPLICABLE;
    bool is_shadow = rule_is_on(query, VALUE_SECONDARY, SECONDARY_VMCS_SHADOWING);
    return entry_require(query,
                         VMX_BASIC_REVISION(entry_read(query, VALUE_IA32_VMX_BASIC)) |
                             (is_shadow ? BIT(31) : 0));
}

/* Not the current VMCS or, for an entry that leaves SMM, not the VMXON region. */
static enum entry_verdict test_link_distinct(struct entry_query *query)
{
    uint64_t value = entry_read_own(query);

    if (value == UINT64_MAX)
        return ENTRY_NOT_APPLICABLE;
    bool leaves_smm = rule_is_on(query, VALUE_IN_SMM, BIT(0)) &&
                      !rule_is_on(query, VALUE_ENTRY_CONTROLS, VM_ENTRY_TO_SMM);
    uint64_t other =
        entry_read(query, leaves_smm ? VALUE_VMXON_POINTER : VALUE_VMCS_POINTER);
    return value == other ? entry_violate(query, UINT64_MAX, UINT64_MAX) : ENTRY_HOLDS;
}

static const struct entry_rule rows[] = {
    {"interruptibility-reserved",
     "Bits 31:5 of the interruptibility state are 0, and bit 4 without SGX.",
     "the field was not initialized", test_reserved,
     .value = VALUE_GUEST_INTERRUPTIBILITY_STATE},
    {"interruptibility-sti-and-mov-ss",
     "The interruptibility state does not have both blocking by STI and by MOV SS.",
     "one was set without clearing the other", test_sti_and_mov_ss,
     .value = VALUE_GUEST_INTERRUPTIBILITY_STATE},
    {"interruptibility-sti-needs-if", "Blocking by STI is 0 if RFLAGS.IF is 0.",
     "IF was cleared and blocking by STI was not",
     MUST_CLEAR(GUEST_INTERRUPTIBILITY_STATE, INTERRUPTIBILITY_STI),
     .when = {OFF(GUEST_RFLAGS, RFLAGS_IF)}},
    {"interruptibility-of-interrupt",
     "Blocking by STI and MOV SS is 0 if an external interrupt is injected.",
     "an interrupt was injected without waiting for the interrupt window", test_injected,
     INTERRUPTIBILITY_STI_OR_MOV_SS, INTERRUPTION_EXTERNAL,
     VALUE_GUEST_INTERRUPTIBILITY_STATE, .when = {WHEN_INJECTING}},
    {"interruptibility-of-nmi", "Blocking by MOV SS is 0 if an NMI is injected.",
     "an NMI was injected without waiting for the NMI window", test_injected,
     INTERRUPTIBILITY_MOV_SS, INTERRUPTION_NMI, VALUE_GUEST_INTERRUPTIBILITY_STATE,
     .when = {WHEN_INJECTING}},
    {"interruptibility-of-nmi-after-sti",
     "On some processors, blocking by STI is 0 if an NMI is injected.",
     "an NMI was injected right after STI", test_nmi_after_sti,
     .value = VALUE_GUEST_INTERRUPTIBILITY_STATE, .qualification = ENTRY_FAILURE_NMI,
     .when = {WHEN_INJECTING}},
    {"interruptibility-of-virtual-nmi",
     "With virtual NMIs, blocking by NMI is 0 if an NMI is injected.",
     "a second NMI was injected before the guest's IRET", test_injected,
     INTERRUPTIBILITY_NMI, INTERRUPTION_NMI, VALUE_GUEST_INTERRUPTIBILITY_STATE,
     .when = {WHEN_INJECTING, ON(PIN_BASED_CONTROLS, PIN_BASED_VIRTUAL_NMIS)}},
    {"interruptibility-smi-outside-smm", "Blocking by SMI is 0 outside SMM.",
     "the field was not initialized",
     MUST_CLEAR(GUEST_INTERRUPTIBILITY_STATE, INTERRUPTIBILITY_SMI),
     .when = {OFF(IN_SMM, BIT(0))}},
    {"interruptibility-smi-in-smm",
     "Blocking by SMI is 1 with the control \"entry to SMM\".", NULL,
     MUST_SET(GUEST_INTERRUPTIBILITY_STATE, INTERRUPTIBILITY_SMI),
     .when = {ON(ENTRY_CONTROLS, VM_ENTRY_TO_SMM)}},
    {"interruptibility-enclave",
     "Blocking by MOV SS is 0 if the last VM exit interrupted an enclave (bit 4).", NULL,
     MUST_CLEAR(GUEST_INTERRUPTIBILITY_STATE, INTERRUPTIBILITY_MOV_SS),
     .when = {ON(GUEST_INTERRUPTIBILITY_STATE, INTERRUPTIBILITY_ENCLAVE)}},
    {"interruptibility-fred",
     "With GUEST_CR4.FRED, blocking by STI is 0 at privilege level 3.", NULL,
     test_fred_sti, .value = VALUE_GUEST_INTERRUPTIBILITY_STATE,
     .when = {ON(GUEST_CR4, CR4_FRED)}},
    {"pending-debug-reserved",
     "Bits 63:17, 15, 13 and 10:4 of the pending debug exceptions are 0, bit 11 without "
     "bus-lock detection, and bit 16 without RTM.",
     "DR6 was written, whose bits 31:16 and 10:4 are 1", test_pending_reserved,
     .value = VALUE_GUEST_PENDING_DEBUG_EXCEPTIONS},
    {"pending-debug-single-step",
     "If STI or MOV SS blocks events or the guest is in HLT, bit 14 (BS) of the pending "
     "debug exceptions is 1 exactly if RFLAGS.TF is 1 and IA32_DEBUGCTL.BTF is 0.",
     "an instruction of a single-stepping guest was emulated, and BS was not set",
     test_single_step, .value = VALUE_GUEST_PENDING_DEBUG_EXCEPTIONS},
    {"pending-debug-rtm",
     "If bit 16 (RTM) of the pending debug exceptions is 1, bit 12 is 1 and all others "
     "are 0.",
     NULL, test_pending_rtm, .value = VALUE_GUEST_PENDING_DEBUG_EXCEPTIONS,
     .when = {ON(GUEST_PENDING_DEBUG_EXCEPTIONS, PENDING_DEBUG_RTM)},
     .root = "pending-debug-reserved"},
    {"pending-debug-rtm-blocking",
     "If bit 16 (RTM) of the pending debug exceptions is 1, blocking by MOV SS is 0.",
     NULL, MUST_CLEAR(GUEST_INTERRUPTIBILITY_STATE, INTERRUPTIBILITY_MOV_SS),
     .when = {ON(GUEST_PENDING_DEBUG_EXCEPTIONS, PENDING_DEBUG_RTM)}},
    {"link-pointer-address",
     "The VMCS link pointer is all ones, or a multiple of 4096 within the "
     "physical-address width.",
     "the field was not set to all ones", test_link_address, PAGE_SIZE - 1, 0,
     VALUE_LINK_POINTER, VALUE_PHYSICAL_WIDTH,
     .qualification = ENTRY_FAILURE_LINK_POINTER},
    {"link-pointer-revision",
     "The VMCS at the link pointer has the processor's revision, and is a shadow VMCS "
     "exactly with VMCS shadowing.",
     "the field was 0 instead of all ones, or bit 31 was forgotten", test_link_revision,
     .value = VALUE_LINKED_REVISION, .qualification = ENTRY_FAILURE_LINK_POINTER},
    {"link-pointer-distinct",
     "The VMCS link pointer is not the current VMCS; on leaving SMM, not the VMXON "
     "region.",
     NULL, test_link_distinct, .value = VALUE_LINK_POINTER,
     .qualification = ENTRY_FAILURE_LINK_POINTER},
};

VMX_SECTION(vmx_rules_interruptibility, "\"Checks on Guest Non-Register State\"",
            ENTRY_GUEST_STATE, rows);
