/* See capabilities.h. */
#include "vmx/capabilities.h"

#include "lib/string.h"

static const struct capability_row rows[] = {
#define ROW_OF_FLAG(group, constant, bit, name) {GROUP_##group, constant, name},
#define ROW_OF_FIELD(group, mask, name)         {GROUP_##group, mask, name},
    VMX_CAPABILITIES(ROW_OF_FLAG, ROW_OF_FIELD, ROW_OF_FLAG)};

/* How an MSR, or two, describe a group. */
enum shape {
    SHAPE_VALUE,    /* bits and fields of a plain value */
    SHAPE_HALVES,   /* bits 31:0: must be 1; bits 63:32: may be 1 */
    SHAPE_MAY_BE_1, /* 64 bits that may be 1; none must be */
    SHAPE_PAIR,     /* FIXED0: must be 1; FIXED1, the next MSR: may be 1 */
};

/*
 * GROUP(name, shape, MSR, the SDM's name, the short name of a bit, maximized numbers,
 * identities).
 */
#define GROUPS(GROUP)                                                                   \
    GROUP(BASIC, VALUE, BASIC, "Basic VMX information", "IA32_VMX_BASIC",               \
          BITS_MASK(44, 32) | VMX_BASIC_ADDRESSES_32_BIT,                               \
          BITS_MASK(30, 0) | BITS_MASK(53, 50))                                         \
    GROUP(PIN_BASED, HALVES, PINBASED_CTLS, "Pin-based VM-execution controls",          \
          "pin-based control", 0, 0)                                                    \
    GROUP(PRIMARY, HALVES, PROCBASED_CTLS,                                              \
          "Primary processor-based VM-execution controls", "primary control", 0, 0)     \
    GROUP(SECONDARY, HALVES, PROCBASED_CTLS2,                                           \
          "Secondary processor-based VM-execution controls", "secondary control", 0, 0) \
    GROUP(TERTIARY, MAY_BE_1, PROCBASED_CTLS3,                                          \
          "Tertiary processor-based VM-execution controls", "tertiary control", 0, 0)   \
    GROUP(VM_EXIT, HALVES, EXIT_CTLS, "Primary VM-exit controls", "VM-exit control", 0, \
          0)                                                                            \
    GROUP(SECONDARY_VM_EXIT, MAY_BE_1, EXIT_CTLS2, "Secondary VM-exit controls",        \
          "secondary VM-exit control", 0, 0)                                            \
    GROUP(VM_ENTRY, HALVES, ENTRY_CTLS, "VM-entry controls", "VM-entry control", 0, 0)  \
    GROUP(MISC, VALUE, MISC, "Miscellaneous data", "IA32_VMX_MISC", BITS_MASK(4, 0),    \
          BITS_MASK(63, 32))                                                            \
    GROUP(CR0, PAIR, CR0_FIXED0, "CR0 in VMX operation", "CR0", 0, 0)                   \
    GROUP(CR4, PAIR, CR4_FIXED0, "CR4 in VMX operation", "CR4", 0, 0)                   \
    GROUP(VMCS_ENUM, VALUE, VMCS_ENUM, "VMCS enumeration", "IA32_VMX_VMCS_ENUM", 0, 0)  \
    GROUP(EPT_VPID, VALUE, EPT_VPID_CAP, "EPT and VPID capabilities",                   \
          "IA32_VMX_EPT_VPID_CAP", 0, 0)                                                \
    GROUP(VMFUNC, MAY_BE_1, VMFUNC, "VM functions", "VM function", 0, 0)

static const struct capability_group groups[GROUP_COUNT] = {
#define GROUP_NAMES(group, shape, msr, name, singular, maximized, identities) \
    [GROUP_##group] = {name,      singular,   SHAPE_##shape != SHAPE_VALUE,   \
                       maximized, identities, "IA32_VMX_" #msr},
    GROUPS(GROUP_NAMES)};

static const struct {
    enum shape shape;
    enum vmx_msr msr;
} group_msrs[GROUP_COUNT] = {
#define GROUP_MSR(group, shape, msr, name, singular, maximized, identities) \
    [GROUP_##group] = {SHAPE_##shape, MSR_IA32_VMX_##msr},
    GROUPS(GROUP_MSR)};
_Static_assert(GROUP_COUNT <= CAPABILITY_GROUPS_MAX, "the groups fit in a set");

const struct capability_table vmx_capability_table = {
    .groups      = groups,
    .rows        = rows,
    .group_count = GROUP_COUNT,
    .row_count   = ARRAY_SIZE(rows),
};

const struct msr_reading *vmx_capability(const struct vmx_capabilities *capabilities,
                                         enum vmx_msr msr)
{
    return &capabilities->msr[msr - VMX_MSR_FIRST];
}

uint64_t vmx_capability_value(const struct vmx_capabilities *capabilities,
                              enum vmx_msr msr)
{
    return vmx_capability(capabilities, msr)->value;
}

const char *vmx_msr_name(enum vmx_msr msr)
{
    static const char *const names[VMX_MSR_COUNT] = {
#define MSR_NAME(name, number) "IA32_VMX_" #name,
        VMX_MSRS(MSR_NAME)};
    return names[msr - VMX_MSR_FIRST];
}

/* Bits of allowed 1-settings: the upper half of a control's capability MSR. */
#define ALLOWED_1(bits) ((uint64_t)(bits) << 32)

bool vmx_msr_exists(const struct vmx_capabilities *capabilities, enum vmx_msr msr)
{
    /* The MSRs first to last exist if any of the bits is set. */
    static const struct {
        enum vmx_msr first, last, reported_by;
        uint64_t bits;
    } rules[] = {
        {MSR_IA32_VMX_PROCBASED_CTLS2, MSR_IA32_VMX_PROCBASED_CTLS2,
         MSR_IA32_VMX_PROCBASED_CTLS, ALLOWED_1(PRIMARY_ACTIVATE_SECONDARY_CONTROLS)},
        {MSR_IA32_VMX_EPT_VPID_CAP, MSR_IA32_VMX_EPT_VPID_CAP,
         MSR_IA32_VMX_PROCBASED_CTLS2,
         ALLOWED_1(SECONDARY_ENABLE_EPT | SECONDARY_ENABLE_VPID)},
        {MSR_IA32_VMX_TRUE_PINBASED_CTLS, MSR_IA32_VMX_TRUE_ENTRY_CTLS,
         MSR_IA32_VMX_BASIC, VMX_BASIC_TRUE_CONTROLS},
        {MSR_IA32_VMX_VMFUNC, MSR_IA32_VMX_VMFUNC, MSR_IA32_VMX_PROCBASED_CTLS2,
         ALLOWED_1(SECONDARY_ENABLE_VM_FUNCTIONS)},
        {MSR_IA32_VMX_PROCBASED_CTLS3, MSR_IA32_VMX_PROCBASED_CTLS3,
         MSR_IA32_VMX_PROCBASED_CTLS, ALLOWED_1(PRIMARY_ACTIVATE_TERTIARY_CONTROLS)},
        {MSR_IA32_VMX_EXIT_CTLS2, MSR_IA32_VMX_EXIT_CTLS2, MSR_IA32_VMX_EXIT_CTLS,
         ALLOWED_1(VM_EXIT_ACTIVATE_SECONDARY_CONTROLS)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (msr >= rules[i].first && msr <= rules[i].last)
            return (vmx_capability_value(capabilities, rules[i].reported_by) &
                    rules[i].bits) != 0;
    }
    return msr >= MSR_IA32_VMX_BASIC && msr <= MSR_IA32_VMX_VMCS_ENUM;
}

void vmx_capabilities_read(struct vmx_capabilities *capabilities)
{
    memset(capabilities, 0, sizeof(*capabilities));
    for (uint32_t i = 0; i < VMX_MSR_COUNT; i++) {
        enum vmx_msr msr = (enum vmx_msr)(VMX_MSR_FIRST + i);
        if (vmx_msr_exists(capabilities, msr))
            capabilities->msr[i] = msr_read_safe(msr);
    }
}

/* Returns the MSR that reports a group; some controls have a TRUE MSR. */
static enum vmx_msr group_msr(const struct vmx_capabilities *capabilities,
                              enum vmx_capability_group group)
{
    uint64_t basic   = vmx_capability_value(capabilities, MSR_IA32_VMX_BASIC);
    enum vmx_msr msr = group_msrs[group].msr;

    if ((basic & VMX_BASIC_TRUE_CONTROLS) == 0 || msr < MSR_IA32_VMX_PINBASED_CTLS ||
        msr > MSR_IA32_VMX_ENTRY_CTLS)
        return msr;
    return msr - MSR_IA32_VMX_PINBASED_CTLS + MSR_IA32_VMX_TRUE_PINBASED_CTLS;
}

struct capability_bits vmx_capability_bits(const struct vmx_capabilities *capabilities,
                                           enum vmx_capability_group group)
{
    enum vmx_msr msr            = group_msr(capabilities, group);
    uint64_t value              = vmx_capability_value(capabilities, msr);
    struct capability_bits bits = {
        .may_be_1 = value,
        .source   = vmx_msr_name(msr),
        .exists   = vmx_capability(capabilities, msr)->state == MSR_READ,
    };

    if (group_msrs[group].shape == SHAPE_HALVES) {
        bits.must_be_1 = value & UINT32_MAX; /* allowed 0-settings: 1 forbids the 0 */
        bits.may_be_1  = value >> 32;
    } else if (group_msrs[group].shape == SHAPE_PAIR) {
        bits.must_be_1 = value;
        bits.may_be_1  = vmx_capability_value(capabilities, msr + 1);
    }
    return bits;
}

uint32_t vmx_control_fit(const struct vmx_capabilities *capabilities,
                         enum vmx_capability_group group, uint32_t wanted,
                         uint32_t *value)
{
    struct capability_bits bits = vmx_capability_bits(capabilities, group);
    uint32_t missing            = wanted & ~(uint32_t)bits.may_be_1;

    if (missing == 0)
        *value = wanted | (uint32_t)bits.must_be_1;
    return missing;
}

bool vmx_has_ept_capability(const struct vmx_capabilities *capabilities, uint64_t bits)
{
    return (vmx_capability_value(capabilities, MSR_IA32_VMX_EPT_VPID_CAP) & bits) == bits;
}

bool vmx_has_ept(const struct vmx_capabilities *capabilities)
{
    uint64_t secondary = vmx_capability_value(capabilities, MSR_IA32_VMX_PROCBASED_CTLS2);

    return (secondary & ALLOWED_1(SECONDARY_ENABLE_EPT)) != 0 &&
           vmx_has_ept_capability(capabilities,
                                  EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK);
}
