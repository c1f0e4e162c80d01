/* See capability_rows.h, whose functions these are; capability_rows.c is the table. */
#include "vmx/capability_rows.h"

static const struct capability_group_facts group_facts[GROUP_COUNT] = {
    [GROUP_BASIC] = {"Basic VMX information", "IA32_VMX_BASIC", "Basic VMX Information",
                     false},
    [GROUP_PIN_BASED] = {"Pin-based VM-execution controls", "pin-based control",
                         "Pin-Based VM-Execution Controls", true},
    [GROUP_PRIMARY] = {"Primary processor-based VM-execution controls", "primary control",
                       "Primary Processor-Based VM-Execution Controls", true},
    [GROUP_SECONDARY] = {"Secondary processor-based VM-execution controls",
                         "secondary control",
                         "Secondary Processor-Based VM-Execution Controls", true},
    [GROUP_TERTIARY]  = {"Tertiary processor-based VM-execution controls",
                         "tertiary control",
                         "Tertiary Processor-Based VM-Execution Controls", true},
    [GROUP_EXIT] = {"Primary VM-exit controls", "VM-exit control", "VM-Exit Controls",
                    true},
    [GROUP_SECONDARY_EXIT] = {"Secondary VM-exit controls", "secondary VM-exit control",
                              "VM-Exit Controls", true},
    [GROUP_ENTRY] = {"VM-entry controls", "VM-entry control", "VM-Entry Controls", true},
    [GROUP_MISC]  = {"Miscellaneous data", "IA32_VMX_MISC", "Miscellaneous Data", false},
    [GROUP_CR0]   = {"CR0 in VMX operation", "CR0", "VMX-Fixed Bits in CR0", true},
    [GROUP_CR4]   = {"CR4 in VMX operation", "CR4", "VMX-Fixed Bits in CR4", true},
    [GROUP_VMCS_ENUM] = {"VMCS enumeration", "IA32_VMX_VMCS_ENUM", "VMCS Enumeration",
                         false},
    [GROUP_EPT_VPID]  = {"EPT and VPID capabilities", "IA32_VMX_EPT_VPID_CAP",
                         "VPID and EPT Capabilities", false},
    [GROUP_VMFUNC]    = {"VM functions", "VM function", "VM Functions", true},
};

const struct capability_group_facts *capability_group_facts(enum capability_group group)
{
    return &group_facts[group];
}

enum capability_group capability_group_of(enum vmx_control control)
{
    static const enum capability_group groups[CONTROL_KINDS] = {
        [CONTROL_PIN_BASED] = GROUP_PIN_BASED, [CONTROL_PRIMARY] = GROUP_PRIMARY,
        [CONTROL_SECONDARY] = GROUP_SECONDARY, [CONTROL_EXIT] = GROUP_EXIT,
        [CONTROL_ENTRY] = GROUP_ENTRY,
    };
    return groups[control];
}

const char *capability_name(enum capability_group group, uint64_t bit)
{
    for (size_t i = 0; i < capability_row_count; i++) {
        if (capability_rows[i].group == group && capability_rows[i].mask == bit)
            return capability_rows[i].name;
    }
    return NULL;
}

/* How an MSR, or two, tells of a group. */
enum shape {
    SHAPE_VALUE,    /* bits and fields as they stand */
    SHAPE_HALVES,   /* bits 31:0: must be 1; bits 63:32: may be 1 */
    SHAPE_MAY_BE_1, /* 64 bits that may be 1; none must be */
    SHAPE_PAIR,     /* FIXED0: must be 1; FIXED1, the next MSR: may be 1 */
};

static enum shape shape_of(enum capability_group group)
{
    switch (group) {
    case GROUP_PIN_BASED:
    case GROUP_PRIMARY:
    case GROUP_SECONDARY:
    case GROUP_EXIT:
    case GROUP_ENTRY:
        return SHAPE_HALVES;
    case GROUP_TERTIARY:
    case GROUP_SECONDARY_EXIT:
    case GROUP_VMFUNC:
        return SHAPE_MAY_BE_1;
    case GROUP_CR0:
    case GROUP_CR4:
        return SHAPE_PAIR;
    case GROUP_BASIC:
    case GROUP_MISC:
    case GROUP_VMCS_ENUM:
    case GROUP_EPT_VPID:
    case GROUP_COUNT:
        break;
    }
    return SHAPE_VALUE;
}

static enum vmx_msr msr_of(const struct vmx_capabilities *capabilities,
                           enum capability_group group)
{
    switch (group) {
    case GROUP_BASIC:
        return MSR_IA32_VMX_BASIC;
    case GROUP_PIN_BASED:
        return vmx_control_msr(capabilities, CONTROL_PIN_BASED);
    case GROUP_PRIMARY:
        return vmx_control_msr(capabilities, CONTROL_PRIMARY);
    case GROUP_SECONDARY:
        return MSR_IA32_VMX_PROCBASED_CTLS2;
    case GROUP_TERTIARY:
        return MSR_IA32_VMX_PROCBASED_CTLS3;
    case GROUP_EXIT:
        return vmx_control_msr(capabilities, CONTROL_EXIT);
    case GROUP_SECONDARY_EXIT:
        return MSR_IA32_VMX_EXIT_CTLS2;
    case GROUP_ENTRY:
        return vmx_control_msr(capabilities, CONTROL_ENTRY);
    case GROUP_MISC:
        return MSR_IA32_VMX_MISC;
    case GROUP_CR0:
        return MSR_IA32_VMX_CR0_FIXED0;
    case GROUP_CR4:
        return MSR_IA32_VMX_CR4_FIXED0;
    case GROUP_VMCS_ENUM:
        return MSR_IA32_VMX_VMCS_ENUM;
    case GROUP_EPT_VPID:
        return MSR_IA32_VMX_EPT_VPID_CAP;
    case GROUP_VMFUNC:
    case GROUP_COUNT:
        break;
    }
    return MSR_IA32_VMX_VMFUNC;
}

struct capability_bits capability_bits_of(const struct vmx_capabilities *capabilities,
                                          enum capability_group group)
{
    struct capability_bits bits = {.msr = msr_of(capabilities, group)};
    uint64_t value              = vmx_capability_value(capabilities, bits.msr);

    bits.exists   = vmx_capability(capabilities, bits.msr)->state == MSR_READ;
    bits.may_be_1 = value;
    if (shape_of(group) == SHAPE_HALVES) {
        bits.must_be_1 = value & UINT32_MAX;
        bits.may_be_1  = value >> 32;
    }
    if (shape_of(group) == SHAPE_PAIR) {
        bits.must_be_1 = value;
        bits.may_be_1  = vmx_capability_value(capabilities, bits.msr + 1);
    }
    return bits;
}

static bool is_field(const struct capability_row *row)
{
    return (row->mask & (row->mask - 1)) != 0;
}

enum capability_state capability_state_of(const struct capability_row *row,
                                          const struct capability_bits *bits)
{
    bool may_be_1 = (bits->may_be_1 & row->mask) != 0;

    if (is_field(row))
        return CAPABILITY_NUMBER;
    if (!group_facts[row->group].has_settings)
        return may_be_1 ? CAPABILITY_YES : CAPABILITY_NO;
    if (!may_be_1)
        return CAPABILITY_FIXED_0;
    return (bits->must_be_1 & row->mask) != 0 ? CAPABILITY_FIXED_1 : CAPABILITY_OPTIONAL;
}

const char *capability_state_name(enum capability_state state)
{
    switch (state) {
    case CAPABILITY_NO:
        return "no";
    case CAPABILITY_YES:
        return "yes";
    case CAPABILITY_FIXED_0:
        return "fixed 0";
    case CAPABILITY_FIXED_1:
        return "fixed 1";
    case CAPABILITY_OPTIONAL:
        return "optional";
    case CAPABILITY_NUMBER:
        break;
    }
    return "number";
}

uint64_t capability_number(const struct capability_row *row,
                           const struct capability_bits *bits)
{
    return (bits->may_be_1 & row->mask) >> __builtin_ctzll(row->mask);
}

uint64_t capability_unknown_bits(enum capability_group group,
                                 const struct capability_bits *bits)
{
    uint64_t unknown = bits->may_be_1 | bits->must_be_1;

    for (size_t i = 0; i < capability_row_count; i++) {
        if (capability_rows[i].group == group)
            unknown &= ~capability_rows[i].mask;
    }
    return unknown;
}

/* A value as it stands: flags that both have, and of each number one. */
static uint64_t intersect_values(enum capability_group group, uint64_t a, uint64_t b)
{
    static const uint64_t larger_counts[GROUP_COUNT] = {
        [GROUP_BASIC] = BITS_MASK(44, 32) | VMX_BASIC_ADDRESSES_32_BIT,
        [GROUP_MISC]  = BITS_MASK(4, 0)};
    uint64_t result = a & b;

    for (size_t i = 0; i < capability_row_count; i++) {
        const struct capability_row *row = &capability_rows[i];
        if (row->group != group)
            continue;
        bool takes_b = (larger_counts[group] & row->mask) != 0
                           ? (b & row->mask) > (a & row->mask)
                           : (b & row->mask) < (a & row->mask);
        result       = (result & ~row->mask) | ((takes_b ? b : a) & row->mask);
    }
    return result;
}

/* The bits of a settings MSR that both must have 1, and may have 1. */
static uint64_t intersect_msr(enum vmx_msr msr, uint64_t a, uint64_t b)
{
    switch (msr) {
    case MSR_IA32_VMX_BASIC:
        return intersect_values(GROUP_BASIC, a, b);
    case MSR_IA32_VMX_MISC:
        return intersect_values(GROUP_MISC, a, b);
    case MSR_IA32_VMX_VMCS_ENUM:
        return intersect_values(GROUP_VMCS_ENUM, a, b);
    case MSR_IA32_VMX_EPT_VPID_CAP:
        return intersect_values(GROUP_EPT_VPID, a, b);
    case MSR_IA32_VMX_CR0_FIXED0:
    case MSR_IA32_VMX_CR4_FIXED0:
        return a | b;
    case MSR_IA32_VMX_CR0_FIXED1:
    case MSR_IA32_VMX_CR4_FIXED1:
    case MSR_IA32_VMX_VMFUNC:
    case MSR_IA32_VMX_PROCBASED_CTLS3:
    case MSR_IA32_VMX_EXIT_CTLS2:
        return a & b;
    case MSR_IA32_VMX_PINBASED_CTLS:
    case MSR_IA32_VMX_PROCBASED_CTLS:
    case MSR_IA32_VMX_EXIT_CTLS:
    case MSR_IA32_VMX_ENTRY_CTLS:
    case MSR_IA32_VMX_PROCBASED_CTLS2:
    case MSR_IA32_VMX_TRUE_PINBASED_CTLS:
    case MSR_IA32_VMX_TRUE_PROCBASED_CTLS:
    case MSR_IA32_VMX_TRUE_EXIT_CTLS:
    case MSR_IA32_VMX_TRUE_ENTRY_CTLS:
        break;
    }
    return ((a | b) & UINT32_MAX) | (a & b & ~(uint64_t)UINT32_MAX);
}

void capabilities_intersect(struct vmx_capabilities *usable,
                            const struct vmx_capabilities *other)
{
    for (uint32_t i = 0; i < VMX_MSR_COUNT; i++) {
        struct msr_reading *mine        = &usable->msr[i];
        const struct msr_reading *yours = &other->msr[i];
        if (mine->state != MSR_READ)
            continue;
        if (yours->state == MSR_READ)
            mine->value = intersect_msr((enum vmx_msr)(VMX_MSR_FIRST + i), mine->value,
                                        yours->value);
        else
            *mine = (struct msr_reading){.state = MSR_NOT_READ};
    }
}
