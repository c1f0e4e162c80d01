/* See capabilities.h. */
#include "vmx/capabilities.h"

#include "lib/string.h"

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
    static const char *const names[VMX_MSR_COUNT] = {"IA32_VMX_BASIC",
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
                                                     "IA32_VMX_EXIT_CTLS2"};
    return names[msr - VMX_MSR_FIRST];
}

/*
 * True if the control may be 1: the upper half of a capability MSR has the allowed
 * 1-settings.
 */
static bool may_be_one(uint64_t capability, uint64_t control)
{
    return (capability >> 32 & control) != 0;
}

bool vmx_msr_exists(const struct vmx_capabilities *capabilities, enum vmx_msr msr)
{
    uint64_t basic     = vmx_capability_value(capabilities, MSR_IA32_VMX_BASIC);
    uint64_t primary   = vmx_capability_value(capabilities, MSR_IA32_VMX_PROCBASED_CTLS);
    uint64_t secondary = vmx_capability_value(capabilities, MSR_IA32_VMX_PROCBASED_CTLS2);
    uint64_t exit      = vmx_capability_value(capabilities, MSR_IA32_VMX_EXIT_CTLS);

    switch (msr) {
    case MSR_IA32_VMX_BASIC:
    case MSR_IA32_VMX_PINBASED_CTLS:
    case MSR_IA32_VMX_PROCBASED_CTLS:
    case MSR_IA32_VMX_EXIT_CTLS:
    case MSR_IA32_VMX_ENTRY_CTLS:
    case MSR_IA32_VMX_MISC:
    case MSR_IA32_VMX_CR0_FIXED0:
    case MSR_IA32_VMX_CR0_FIXED1:
    case MSR_IA32_VMX_CR4_FIXED0:
    case MSR_IA32_VMX_CR4_FIXED1:
    case MSR_IA32_VMX_VMCS_ENUM:
        return true;
    case MSR_IA32_VMX_PROCBASED_CTLS2:
        return may_be_one(primary, PRIMARY_ACTIVATE_SECONDARY_CONTROLS);
    case MSR_IA32_VMX_EPT_VPID_CAP:
        return may_be_one(secondary, SECONDARY_ENABLE_EPT | SECONDARY_ENABLE_VPID);
    case MSR_IA32_VMX_TRUE_PINBASED_CTLS:
    case MSR_IA32_VMX_TRUE_PROCBASED_CTLS:
    case MSR_IA32_VMX_TRUE_EXIT_CTLS:
    case MSR_IA32_VMX_TRUE_ENTRY_CTLS:
        return (basic & VMX_BASIC_TRUE_CONTROLS) != 0;
    case MSR_IA32_VMX_VMFUNC:
        return may_be_one(secondary, SECONDARY_ENABLE_VM_FUNCTIONS);
    case MSR_IA32_VMX_PROCBASED_CTLS3:
        return may_be_one(primary, PRIMARY_ACTIVATE_TERTIARY_CONTROLS);
    case MSR_IA32_VMX_EXIT_CTLS2:
        return may_be_one(exit, EXIT_ACTIVATE_SECONDARY_CONTROLS);
    }
    return false;
}

void vmx_capabilities_take(struct vmx_capabilities *capabilities)
{
    memset(capabilities, 0, sizeof(*capabilities));
    for (uint32_t i = 0; i < VMX_MSR_COUNT; i++) {
        enum vmx_msr msr = (enum vmx_msr)(VMX_MSR_FIRST + i);
        if (vmx_msr_exists(capabilities, msr))
            capabilities->msr[i] = msr_read_safe(msr);
    }
}

enum vmx_msr vmx_control_msr(const struct vmx_capabilities *capabilities,
                             enum vmx_control control)
{
    uint64_t basic = vmx_capability_value(capabilities, MSR_IA32_VMX_BASIC);
    bool has_true  = (basic & VMX_BASIC_TRUE_CONTROLS) != 0;

    switch (control) {
    case CONTROL_PIN_BASED:
        return has_true ? MSR_IA32_VMX_TRUE_PINBASED_CTLS : MSR_IA32_VMX_PINBASED_CTLS;
    case CONTROL_PRIMARY:
        return has_true ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS : MSR_IA32_VMX_PROCBASED_CTLS;
    case CONTROL_SECONDARY:
        return MSR_IA32_VMX_PROCBASED_CTLS2;
    case CONTROL_EXIT:
        return has_true ? MSR_IA32_VMX_TRUE_EXIT_CTLS : MSR_IA32_VMX_EXIT_CTLS;
    case CONTROL_ENTRY:
        return has_true ? MSR_IA32_VMX_TRUE_ENTRY_CTLS : MSR_IA32_VMX_ENTRY_CTLS;
    case CONTROL_KINDS:
        break;
    }
    return MSR_IA32_VMX_PINBASED_CTLS;
}

uint32_t vmx_control_fit(const struct vmx_capabilities *capabilities,
                         enum vmx_control control, uint32_t wanted, uint32_t *value)
{
    enum vmx_msr msr    = vmx_control_msr(capabilities, control);
    uint64_t capability = vmx_capability_value(capabilities, msr);
    uint32_t must_be_1 = (uint32_t)capability; /* allowed 0-settings: a 1 forbids the 0 */
    uint32_t may_be_1  = (uint32_t)(capability >> 32);
    uint32_t missing   = wanted & ~may_be_1;

    if (missing == 0)
        *value = wanted | must_be_1;
    return missing;
}

bool vmx_has_ept(const struct vmx_capabilities *capabilities)
{
    uint64_t needed    = EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK;
    uint64_t ept       = vmx_capability_value(capabilities, MSR_IA32_VMX_EPT_VPID_CAP);
    uint64_t secondary = vmx_capability_value(capabilities, MSR_IA32_VMX_PROCBASED_CTLS2);

    return may_be_one(secondary, SECONDARY_ENABLE_EPT) && (ept & needed) == needed;
}
