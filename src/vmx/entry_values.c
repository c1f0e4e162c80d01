/* The names of the values and of their bits: see entry_values.h. */
#include "vmx/entry_values.h"

#include "vmx/capabilities.h"

const char *const vmx_entry_value_names[VMX_ENTRY_VALUES] = {
#define NAME_OF_FIELD(name, width, type, index) [VALUE_##name] = #name,
#define NAME_OF_MSR(name, number)               [VALUE_IA32_VMX_##name] = "IA32_VMX_" #name,
#define NAME_OF_FACT(name, words)               [VALUE_##name] = (words),
    // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): the macros join a prefix
    VMCS_FIELDS(NAME_OF_FIELD) VMX_MSRS(NAME_OF_MSR) VMX_ENTRY_FACTS(NAME_OF_FACT)};
_Static_assert(VMX_ENTRY_VALUES <= ENTRY_VALUES_MAX, "the values fit in a snapshot");

/* The groups of bits that are not in the table of capabilities. */
enum group {
    GROUP_ACCESS_RIGHTS,
    GROUP_SYSTEM_ACCESS_RIGHTS,
    GROUP_SELECTOR,
    GROUP_RFLAGS,
    GROUP_EFER,
    GROUP_DEBUGCTL,
    GROUP_INTERRUPTIBILITY,
    GROUP_PENDING_DEBUG,
    GROUP_INTERRUPTION,
    GROUP_EPTP,
    GROUP_S_CET,
};

static const struct capability_row rows[] = {
    {GROUP_ACCESS_RIGHTS, BIT(0), "accessed, of the type"},
    {GROUP_ACCESS_RIGHTS, BIT(1), "readable or writable, of the type"},
    {GROUP_ACCESS_RIGHTS, BIT(2), "conforming or expand-down, of the type"},
    {GROUP_ACCESS_RIGHTS, BIT(3), "code, of the type"},
    {GROUP_ACCESS_RIGHTS, BIT(4), "S"},
    {GROUP_ACCESS_RIGHTS, BITS_MASK(6, 5), "DPL"},
    {GROUP_ACCESS_RIGHTS, BIT(7), "P"},
    {GROUP_ACCESS_RIGHTS, BITS_MASK(11, 8), "reserved"},
    {GROUP_ACCESS_RIGHTS, BIT(12), "AVL"},
    {GROUP_ACCESS_RIGHTS, BIT(13), "L"},
    {GROUP_ACCESS_RIGHTS, BIT(14), "D/B"},
    {GROUP_ACCESS_RIGHTS, BIT(15), "G"},
    {GROUP_ACCESS_RIGHTS, BIT(16), "unusable"},
    {GROUP_ACCESS_RIGHTS, BITS_MASK(31, 17), "reserved"},
    {GROUP_SYSTEM_ACCESS_RIGHTS, BITS_MASK(3, 0), "type"},
    {GROUP_SYSTEM_ACCESS_RIGHTS, BIT(4), "S"},
    {GROUP_SYSTEM_ACCESS_RIGHTS, BIT(7), "P"},
    {GROUP_SYSTEM_ACCESS_RIGHTS, BITS_MASK(11, 8), "reserved"},
    {GROUP_SYSTEM_ACCESS_RIGHTS, BIT(15), "G"},
    {GROUP_SYSTEM_ACCESS_RIGHTS, BIT(16), "unusable"},
    {GROUP_SYSTEM_ACCESS_RIGHTS, BITS_MASK(31, 17), "reserved"},
    {GROUP_SELECTOR, BITS_MASK(1, 0), "RPL"},
    {GROUP_SELECTOR, BIT(2), "TI"},
    {GROUP_SELECTOR, BITS_MASK(15, 3), "index"},
    {GROUP_RFLAGS, BIT(1), "always 1"},
    {GROUP_RFLAGS, BIT(8), "TF"},
    {GROUP_RFLAGS, BIT(9), "IF"},
    {GROUP_RFLAGS, BITS_MASK(13, 12), "IOPL"},
    {GROUP_RFLAGS, BIT(17), "VM"},
    {GROUP_RFLAGS, BITS_MASK(63, 22), "reserved"},
    {GROUP_EFER, BIT(0), "SCE"},
    {GROUP_EFER, BIT(8), "LME"},
    {GROUP_EFER, BIT(10), "LMA"},
    {GROUP_EFER, BIT(11), "NXE"},
    {GROUP_DEBUGCTL, BIT(0), "LBR"},
    {GROUP_DEBUGCTL, BIT(1), "BTF"},
    {GROUP_DEBUGCTL, BITS_MASK(5, 3), "reserved"},
    {GROUP_DEBUGCTL, BITS_MASK(63, 16), "reserved"},
    {GROUP_INTERRUPTIBILITY, BIT(0), "blocking by STI"},
    {GROUP_INTERRUPTIBILITY, BIT(1), "blocking by MOV SS"},
    {GROUP_INTERRUPTIBILITY, BIT(2), "blocking by SMI"},
    {GROUP_INTERRUPTIBILITY, BIT(3), "blocking by NMI"},
    {GROUP_INTERRUPTIBILITY, BIT(4), "enclave interruption"},
    {GROUP_INTERRUPTIBILITY, BITS_MASK(31, 5), "reserved"},
    {GROUP_PENDING_DEBUG, BITS_MASK(3, 0), "B3 to B0"},
    {GROUP_PENDING_DEBUG, BIT(11), "BLD"},
    {GROUP_PENDING_DEBUG, BIT(12), "enabled breakpoint"},
    {GROUP_PENDING_DEBUG, BIT(14), "BS"},
    {GROUP_PENDING_DEBUG, BIT(16), "RTM"},
    {GROUP_PENDING_DEBUG, BITS_MASK(63, 17), "reserved"},
    {GROUP_INTERRUPTION, BITS_MASK(7, 0), "vector"},
    {GROUP_INTERRUPTION, BITS_MASK(10, 8), "type"},
    {GROUP_INTERRUPTION, BIT(11), "deliver error code"},
    {GROUP_INTERRUPTION, BITS_MASK(30, 12), "reserved"},
    {GROUP_INTERRUPTION, BIT(31), "valid"},
    {GROUP_EPTP, BITS_MASK(2, 0), "memory type"},
    {GROUP_EPTP, BITS_MASK(5, 3), "page-walk length - 1"},
    {GROUP_EPTP, BIT(6), "accessed and dirty flags"},
    {GROUP_EPTP, BIT(7), "shadow-stack access rights"},
    {GROUP_EPTP, BITS_MASK(11, 8), "reserved"},
    {GROUP_S_CET, BITS_MASK(9, 6), "reserved"},
    {GROUP_S_CET, BIT(10), "SUPPRESS"},
    {GROUP_S_CET, BIT(11), "TRACKER"},
};

static const struct capability_table own_table = {
    .rows      = rows,
    .row_count = ARRAY_SIZE(rows),
};

#define NAMES(first, last, group)                              \
    {                                                          \
        VALUE_##first, VALUE_##last, GROUP_##group, &own_table \
    }
#define CAPABILITIES(value, group)                                         \
    {                                                                      \
        VALUE_##value, VALUE_##value, GROUP_##group, &vmx_capability_table \
    }

const struct entry_bit_names vmx_entry_bit_names[VMX_BIT_NAMES] = {
    CAPABILITIES(PIN_BASED_CONTROLS, PIN_BASED),
    CAPABILITIES(PRIMARY_CONTROLS, PRIMARY),
    CAPABILITIES(SECONDARY_CONTROLS, SECONDARY),
    CAPABILITIES(TERTIARY_CONTROLS, TERTIARY),
    CAPABILITIES(SECONDARY, SECONDARY),
    CAPABILITIES(TERTIARY, TERTIARY),
    CAPABILITIES(SECONDARY_EXIT, SECONDARY_VM_EXIT),
    CAPABILITIES(EXIT_CONTROLS, VM_EXIT),
    CAPABILITIES(SECONDARY_EXIT_CONTROLS, SECONDARY_VM_EXIT),
    CAPABILITIES(ENTRY_CONTROLS, VM_ENTRY),
    CAPABILITIES(VM_FUNCTION_CONTROLS, VMFUNC),
    CAPABILITIES(HOST_CR0, CR0),
    CAPABILITIES(HOST_CR4, CR4),
    CAPABILITIES(GUEST_CR0, CR0),
    CAPABILITIES(GUEST_CR4, CR4),
    NAMES(GUEST_ES_ACCESS_RIGHTS, GUEST_GS_ACCESS_RIGHTS, ACCESS_RIGHTS),
    NAMES(GUEST_LDTR_ACCESS_RIGHTS, GUEST_TR_ACCESS_RIGHTS, SYSTEM_ACCESS_RIGHTS),
    NAMES(GUEST_ES_SELECTOR, GUEST_TR_SELECTOR, SELECTOR),
    NAMES(HOST_ES_SELECTOR, HOST_TR_SELECTOR, SELECTOR),
    NAMES(GUEST_RFLAGS, GUEST_RFLAGS, RFLAGS),
    NAMES(GUEST_IA32_EFER, GUEST_IA32_EFER, EFER),
    NAMES(HOST_IA32_EFER, HOST_IA32_EFER, EFER),
    NAMES(GUEST_IA32_DEBUGCTL, GUEST_IA32_DEBUGCTL, DEBUGCTL),
    NAMES(GUEST_INTERRUPTIBILITY_STATE, GUEST_INTERRUPTIBILITY_STATE, INTERRUPTIBILITY),
    NAMES(GUEST_PENDING_DEBUG_EXCEPTIONS, GUEST_PENDING_DEBUG_EXCEPTIONS, PENDING_DEBUG),
    NAMES(ENTRY_INTERRUPTION_INFORMATION, ENTRY_INTERRUPTION_INFORMATION, INTERRUPTION),
    NAMES(EPT_POINTER, EPT_POINTER, EPTP),
    NAMES(GUEST_IA32_S_CET, GUEST_IA32_S_CET, S_CET),
    NAMES(HOST_IA32_S_CET, HOST_IA32_S_CET, S_CET),
};

/* The encoding of each field, in the order of the values. */
static const uint32_t encodings[] = {
#define ENCODING_OF_FIELD(name, width, type, index) \
    VMCS_ENCODING(VMCS_##width, VMCS_##type, index),
    VMCS_FIELDS(ENCODING_OF_FIELD)};

uint32_t vmx_entry_value_of_field(uint32_t encoding)
{
    for (uint32_t i = 0; i < ARRAY_SIZE(encodings); i++) {
        if (encodings[i] == encoding)
            return i + 1;
    }
    return ENTRY_VALUE_NONE;
}

bool vmx_entry_value_is_field(uint32_t value)
{
    return value != ENTRY_VALUE_NONE && value <= ARRAY_SIZE(encodings);
}

uint32_t vmx_entry_field_of_value(uint32_t value)
{
    return encodings[value - 1];
}
