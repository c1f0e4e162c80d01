/* See vcpu_controls.h. */
#include "vmx/vcpu_controls.h"

#include "lib/string.h"

/* A control that a vCPU uses. */
static const struct row {
    enum vmx_control kind;
    uint32_t bit;
    const char *name;
    bool is_required;
} rows[] = {
    {CONTROL_PIN_BASED, PIN_BASED_EXTERNAL_INTERRUPT_EXITING,
     "external-interrupt exiting", true},
    {CONTROL_PIN_BASED, PIN_BASED_NMI_EXITING, "NMI exiting", true},

    {CONTROL_PRIMARY, PRIMARY_USE_TSC_OFFSETTING, "use TSC offsetting", true},
    {CONTROL_PRIMARY, PRIMARY_HLT_EXITING, "HLT exiting", true},
    {CONTROL_PRIMARY, PRIMARY_MWAIT_EXITING, "MWAIT exiting", true},
    {CONTROL_PRIMARY, PRIMARY_RDPMC_EXITING, "RDPMC exiting", true},
    {CONTROL_PRIMARY, PRIMARY_CR8_LOAD_EXITING, "CR8-load exiting", true},
    {CONTROL_PRIMARY, PRIMARY_CR8_STORE_EXITING, "CR8-store exiting", true},
    {CONTROL_PRIMARY, PRIMARY_USE_IO_BITMAPS, "use I/O bitmaps", true},
    {CONTROL_PRIMARY, PRIMARY_USE_MSR_BITMAPS, "use MSR bitmaps", true},
    {CONTROL_PRIMARY, PRIMARY_MONITOR_EXITING, "MONITOR exiting", true},
    {CONTROL_PRIMARY, (uint32_t)PRIMARY_ACTIVATE_SECONDARY_CONTROLS,
     "activate secondary controls", true},

    {CONTROL_SECONDARY, SECONDARY_ENABLE_EPT, "enable EPT", true},
    {CONTROL_SECONDARY, SECONDARY_UNRESTRICTED_GUEST, "unrestricted guest", true},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_RDTSCP, "enable RDTSCP", false},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_VPID, "enable VPID", false},
    {CONTROL_SECONDARY, SECONDARY_WBINVD_EXITING, "WBINVD exiting", false},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_INVPCID, "enable INVPCID", false},

    {CONTROL_EXIT, EXIT_SAVE_DEBUG_CONTROLS, "save debug controls", true},
    {CONTROL_EXIT, EXIT_HOST_ADDRESS_SPACE_SIZE, "host address-space size", true},
    {CONTROL_EXIT, EXIT_SAVE_IA32_PAT, "save IA32_PAT", true},
    {CONTROL_EXIT, EXIT_LOAD_IA32_PAT, "load IA32_PAT", true},
    {CONTROL_EXIT, EXIT_SAVE_IA32_EFER, "save IA32_EFER", true},
    {CONTROL_EXIT, EXIT_LOAD_IA32_EFER, "load IA32_EFER", true},

    {CONTROL_ENTRY, ENTRY_LOAD_DEBUG_CONTROLS, "load debug controls", true},
    {CONTROL_ENTRY, ENTRY_LOAD_IA32_PAT, "load IA32_PAT", true},
    {CONTROL_ENTRY, ENTRY_LOAD_IA32_EFER, "load IA32_EFER", true},
};

static const char *const kind_names[CONTROL_KINDS] = {
    [CONTROL_PIN_BASED] = "pin-based control", [CONTROL_PRIMARY] = "primary control",
    [CONTROL_SECONDARY] = "secondary control", [CONTROL_EXIT] = "VM-exit control",
    [CONTROL_ENTRY] = "VM-entry control",
};

/* True if the processor allows the control; EPT also with what Hymir needs of it. */
static bool is_allowed(const struct vmx_capabilities *capabilities, const struct row *row)
{
    uint32_t value;
    if (row->kind == CONTROL_SECONDARY && row->bit == SECONDARY_ENABLE_EPT &&
        !vmx_has_ept(capabilities))
        return false;
    return vmx_control_fit(capabilities, row->kind, row->bit, &value) == 0;
}

enum status vcpu_controls_fit(const struct vmx_capabilities *capabilities,
                              struct vcpu_controls *controls, struct text *missing)
{
    uint32_t wanted[CONTROL_KINDS] = {0};
    struct vcpu_controls fitted;
    enum status status = STATUS_OK;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *row = &rows[i];
        if (is_allowed(capabilities, row)) {
            wanted[row->kind] |= row->bit;
        } else if (row->is_required) {
            text_append(missing, "%s\"%s\" (%s)", missing->length > 0 ? ", " : "",
                        row->name, kind_names[row->kind]);
            status = STATUS_UNSUPPORTED;
        }
    }
    if (status != STATUS_OK)
        return status;
    for (enum vmx_control kind = CONTROL_PIN_BASED; kind < CONTROL_KINDS; kind++) {
        if (vmx_control_fit(capabilities, kind, wanted[kind], &fitted.field[kind]) != 0)
            return STATUS_UNSUPPORTED; /* each bit was allowed alone: cannot be */
    }
    *controls = fitted;
    return STATUS_OK;
}
