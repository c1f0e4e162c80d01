/* See capabilities.h. */
#include "vmx/capabilities.h"

#include "lib/string.h"

static const struct capability_row rows[] = {
#define ROW_OF_FLAG(group, constant, bit, name) {GROUP_##group, constant, name},
#define ROW_OF_FIELD(group, mask, name)         {GROUP_##group, mask, name},
    VMX_CAPABILITIES(ROW_OF_FLAG, ROW_OF_FIELD, ROW_OF_FLAG)
#undef ROW_OF_FLAG
#undef ROW_OF_FIELD
};

static const struct capability_group groups[GROUP_COUNT] = {
    [GROUP_BASIC]     = {"Basic VMX information", "IA32_VMX_BASIC", false,
                         BITS_MASK(44, 32) | VMX_BASIC_ADDRESSES_32_BIT},
    [GROUP_PIN_BASED] = {"Pin-based VM-execution controls", "pin-based control", true, 0},
    [GROUP_PRIMARY] = {"Primary processor-based VM-execution controls", "primary control",
                       true, 0},
    [GROUP_SECONDARY]      = {"Secondary processor-based VM-execution controls",
                              "secondary control", true, 0},
    [GROUP_TERTIARY]       = {"Tertiary processor-based VM-execution controls",
                              "tertiary control", true, 0},
    [GROUP_EXIT]           = {"Primary VM-exit controls", "VM-exit control", true, 0},
    [GROUP_SECONDARY_EXIT] = {"Secondary VM-exit controls", "secondary VM-exit control",
                              true, 0},
    [GROUP_ENTRY]          = {"VM-entry controls", "VM-entry control", true, 0},
    [GROUP_MISC]      = {"Miscellaneous data", "IA32_VMX_MISC", false, BITS_MASK(4, 0)},
    [GROUP_CR0]       = {"CR0 in VMX operation", "CR0", true, 0},
    [GROUP_CR4]       = {"CR4 in VMX operation", "CR4", true, 0},
    [GROUP_VMCS_ENUM] = {"VMCS enumeration", "IA32_VMX_VMCS_ENUM", false, 0},
    [GROUP_EPT_VPID]  = {"EPT and VPID capabilities", "IA32_VMX_EPT_VPID_CAP", false, 0},
    [GROUP_VMFUNC]    = {"VM functions", "VM function", true, 0},
};
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
    static const char *const names[] = {
        "IA32_VMX_BASIC",
        "IA32_VMX_PINBASED_CTLS",
        "IA32_VMX_PROCBASED_CTLS",
        "IA32_VMX_EXIT_CTLS",
        "IA32_VMX_ENTRY_CTLS",
        "IA32_VMX_MISC",
        "IA32_VMX_CR0_FIXED0",
        "IA32_VMX_CR0_FIXED1",
        "IA32_VMX_CR4_FIXED0",
        "IA32_VMX_CR4_FIXED1",
        "IA32_VMX_VMCS_ENUM",
        "IA32_VMX_PROCBASED_CTLS2",
        "IA32_VMX_EPT_VPID_CAP",
        "IA32_VMX_TRUE_PINBASED_CTLS",
        "IA32_VMX_TRUE_PROCBASED_CTLS",
        "IA32_VMX_TRUE_EXIT_CTLS",
        "IA32_VMX_TRUE_ENTRY_CTLS",
        "IA32_VMX_VMFUNC",
        "IA32_VMX_PROCBASED_CTLS3",
        "IA32_VMX_EXIT_CTLS2",
    };
    _Static_assert(ARRAY_SIZE(names) == VMX_MSR_COUNT, "one name for each MSR");
    return names[msr - VMX_MSR_FIRST];
}

/* Bits of allowed 1-settings: the upper half of a control's capability MSR. */
#define ALLOWED_1(bits) ((uint64_t)(bits) << 32)

bool vmx_msr_exists(const struct vmx_capabilities *capabilities, enum vmx_msr msr)
{
    /* Which bits of which MSR announce another. */
    static const struct {
        enum vmx_msr announced, by;
        uint64_t bits;
    } announcements[] = {
        {MSR_IA32_VMX_PROCBASED_CTLS2, MSR_IA32_VMX_PROCBASED_CTLS,
         ALLOWED_1(PRIMARY_ACTIVATE_SECONDARY_CONTROLS)},
        {MSR_IA32_VMX_EPT_VPID_CAP, MSR_IA32_VMX_PROCBASED_CTLS2,
         ALLOWED_1(SECONDARY_ENABLE_EPT | SECONDARY_ENABLE_VPID)},
        {MSR_IA32_VMX_TRUE_PINBASED_CTLS, MSR_IA32_VMX_BASIC, VMX_BASIC_TRUE_CONTROLS},
        {MSR_IA32_VMX_TRUE_PROCBASED_CTLS, MSR_IA32_VMX_BASIC, VMX_BASIC_TRUE_CONTROLS},
        {MSR_IA32_VMX_TRUE_EXIT_CTLS, MSR_IA32_VMX_BASIC, VMX_BASIC_TRUE_CONTROLS},
        {MSR_IA32_VMX_TRUE_ENTRY_CTLS, MSR_IA32_VMX_BASIC, VMX_BASIC_TRUE_CONTROLS},
        {MSR_IA32_VMX_VMFUNC, MSR_IA32_VMX_PROCBASED_CTLS2,
         ALLOWED_1(SECONDARY_ENABLE_VM_FUNCTIONS)},
        {MSR_IA32_VMX_PROCBASED_CTLS3, MSR_IA32_VMX_PROCBASED_CTLS,
         ALLOWED_1(PRIMARY_ACTIVATE_TERTIARY_CONTROLS)},
        {MSR_IA32_VMX_EXIT_CTLS2, MSR_IA32_VMX_EXIT_CTLS,
         ALLOWED_1(EXIT_ACTIVATE_SECONDARY_CONTROLS)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(announcements); i++) {
        if (announcements[i].announced == msr)
            return (vmx_capability_value(capabilities, announcements[i].by) &
                    announcements[i].bits) != 0;
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

/* How an MSR, or two, describe a group. */
enum shape {
    SHAPE_VALUE,    /* bits and fields of a plain value */
    SHAPE_HALVES,   /* bits 31:0: must be 1; bits 63:32: may be 1 */
    SHAPE_MAY_BE_1, /* 64 bits that may be 1; none must be */
    SHAPE_PAIR,     /* FIXED0: must be 1; FIXED1, the next MSR: may be 1 */
};

static const struct group_msr {
    enum shape shape;
    enum vmx_msr msr, true_msr; /* true_msr: 0 if there is none */
} group_msrs[GROUP_COUNT] = {
    [GROUP_BASIC]     = {SHAPE_VALUE, MSR_IA32_VMX_BASIC, 0},
    [GROUP_PIN_BASED] = {SHAPE_HALVES, MSR_IA32_VMX_PINBASED_CTLS,
                         MSR_IA32_VMX_TRUE_PINBASED_CTLS},
    [GROUP_PRIMARY]   = {SHAPE_HALVES, MSR_IA32_VMX_PROCBASED_CTLS,
                         MSR_IA32_VMX_TRUE_PROCBASED_CTLS},
    [GROUP_SECONDARY] = {SHAPE_HALVES, MSR_IA32_VMX_PROCBASED_CTLS2, 0},
    [GROUP_TERTIARY]  = {SHAPE_MAY_BE_1, MSR_IA32_VMX_PROCBASED_CTLS3, 0},
    [GROUP_EXIT] = {SHAPE_HALVES, MSR_IA32_VMX_EXIT_CTLS, MSR_IA32_VMX_TRUE_EXIT_CTLS},
    [GROUP_SECONDARY_EXIT] = {SHAPE_MAY_BE_1, MSR_IA32_VMX_EXIT_CTLS2, 0},
    [GROUP_ENTRY] = {SHAPE_HALVES, MSR_IA32_VMX_ENTRY_CTLS, MSR_IA32_VMX_TRUE_ENTRY_CTLS},
    [GROUP_MISC]  = {SHAPE_VALUE, MSR_IA32_VMX_MISC, 0},
    [GROUP_CR0]   = {SHAPE_PAIR, MSR_IA32_VMX_CR0_FIXED0, 0},
    [GROUP_CR4]   = {SHAPE_PAIR, MSR_IA32_VMX_CR4_FIXED0, 0},
    [GROUP_VMCS_ENUM] = {SHAPE_VALUE, MSR_IA32_VMX_VMCS_ENUM, 0},
    [GROUP_EPT_VPID]  = {SHAPE_VALUE, MSR_IA32_VMX_EPT_VPID_CAP, 0},
    [GROUP_VMFUNC]    = {SHAPE_MAY_BE_1, MSR_IA32_VMX_VMFUNC, 0},
};

struct capability_bits vmx_capability_bits(const struct vmx_capabilities *capabilities,
                                           enum vmx_capability_group group)
{
    const struct group_msr *described = &group_msrs[group];
    uint64_t basic   = vmx_capability_value(capabilities, MSR_IA32_VMX_BASIC);
    bool uses_true   = described->true_msr != 0 && (basic & VMX_BASIC_TRUE_CONTROLS) != 0;
    enum vmx_msr msr = uses_true ? described->true_msr : described->msr;
    uint64_t value   = vmx_capability_value(capabilities, msr);
    struct capability_bits bits = {
        .may_be_1 = value,
        .source   = vmx_msr_name(msr),
        .exists   = vmx_capability(capabilities, msr)->state == MSR_READ,
    };

    if (described->shape == SHAPE_HALVES) {
        bits.must_be_1 = value & UINT32_MAX; /* allowed 0-settings: 1 forbids the 0 */
        bits.may_be_1  = value >> 32;
    } else if (described->shape == SHAPE_PAIR) {
        bits.must_be_1 = value;
        bits.may_be_1  = vmx_capability_value(capabilities, msr + 1);
    }
    return bits;
}

enum vmx_capability_group vmx_control_group(enum vmx_control control)
{
    static const enum vmx_capability_group control_groups[CONTROL_KINDS] = {
        [CONTROL_PIN_BASED] = GROUP_PIN_BASED, [CONTROL_PRIMARY] = GROUP_PRIMARY,
        [CONTROL_SECONDARY] = GROUP_SECONDARY, [CONTROL_EXIT] = GROUP_EXIT,
        [CONTROL_ENTRY] = GROUP_ENTRY,
    };
    return control_groups[control];
}

uint32_t vmx_control_fit(const struct vmx_capabilities *capabilities,
                         enum vmx_control control, uint32_t wanted, uint32_t *value)
{
    struct capability_bits bits =
        vmx_capability_bits(capabilities, vmx_control_group(control));
    uint32_t missing = wanted & ~(uint32_t)bits.may_be_1;

    if (missing == 0)
        *value = wanted | (uint32_t)bits.must_be_1;
    return missing;
}

static bool has_all(const struct vmx_capabilities *capabilities, enum vmx_msr msr,
                    uint64_t bits)
{
    return (vmx_capability_value(capabilities, msr) & bits) == bits;
}

bool vmx_has_ept(const struct vmx_capabilities *capabilities)
{
    return has_all(capabilities, MSR_IA32_VMX_PROCBASED_CTLS2,
                   ALLOWED_1(SECONDARY_ENABLE_EPT)) &&
           has_all(capabilities, MSR_IA32_VMX_EPT_VPID_CAP,
                   EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK);
}

bool vmx_has_invept_all(const struct vmx_capabilities *capabilities)
{
    return has_all(capabilities, MSR_IA32_VMX_EPT_VPID_CAP,
                   EPT_CAP_INVEPT | EPT_CAP_INVEPT_ALL);
}

bool vmx_has_invvpid_all(const struct vmx_capabilities *capabilities)
{
    return has_all(capabilities, MSR_IA32_VMX_EPT_VPID_CAP,
                   VPID_CAP_INVVPID | VPID_CAP_INVVPID_ALL);
}
