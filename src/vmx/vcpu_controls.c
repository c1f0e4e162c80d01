/* See vcpu_controls.h. */
#include "vmx/vcpu_controls.h"

#include "lib/string.h"

enum need {
    REQUIRED,
    OPTIONAL,
    ON_DEMAND, /* required, and off at first */
};

/* A control that a vCPU uses. */
static const struct row {
    enum vmx_control kind;
    uint32_t bit;
    const char *name;
    enum need need;
} rows[] = {
    {CONTROL_PIN_BASED, PIN_BASED_EXTERNAL_INTERRUPT_EXITING,
     "external-interrupt exiting", REQUIRED},
    {CONTROL_PIN_BASED, PIN_BASED_NMI_EXITING, "NMI exiting", REQUIRED},
    {CONTROL_PIN_BASED, PIN_BASED_VIRTUAL_NMIS, "virtual NMIs", REQUIRED},
    {CONTROL_PIN_BASED, PIN_BASED_ACTIVATE_PREEMPTION_TIMER,
     "activate VMX-preemption timer", OPTIONAL},

    {CONTROL_PRIMARY, PRIMARY_INTERRUPT_WINDOW_EXITING, "interrupt-window exiting",
     ON_DEMAND},
    {CONTROL_PRIMARY, PRIMARY_USE_TSC_OFFSETTING, "use TSC offsetting", REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_HLT_EXITING, "HLT exiting", REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_MWAIT_EXITING, "MWAIT exiting", REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_RDPMC_EXITING, "RDPMC exiting", REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_CR8_LOAD_EXITING, "CR8-load exiting", REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_CR8_STORE_EXITING, "CR8-store exiting", REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_NMI_WINDOW_EXITING, "NMI-window exiting", ON_DEMAND},
    {CONTROL_PRIMARY, PRIMARY_USE_IO_BITMAPS, "use I/O bitmaps", REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_USE_MSR_BITMAPS, "use MSR bitmaps", REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_MONITOR_EXITING, "MONITOR exiting", REQUIRED},
    {CONTROL_PRIMARY, (uint32_t)PRIMARY_ACTIVATE_SECONDARY_CONTROLS,
     "activate secondary controls", REQUIRED},

    {CONTROL_SECONDARY, SECONDARY_ENABLE_EPT, "enable EPT", REQUIRED},
    {CONTROL_SECONDARY, SECONDARY_UNRESTRICTED_GUEST, "unrestricted guest", REQUIRED},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_RDTSCP, "enable RDTSCP", OPTIONAL},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_VPID, "enable VPID", OPTIONAL},
    {CONTROL_SECONDARY, SECONDARY_WBINVD_EXITING, "WBINVD exiting", OPTIONAL},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_INVPCID, "enable INVPCID", OPTIONAL},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_USER_WAIT_PAUSE, "enable user wait and pause",
     OPTIONAL},

    {CONTROL_EXIT, EXIT_SAVE_DEBUG_CONTROLS, "save debug controls", REQUIRED},
    {CONTROL_EXIT, EXIT_HOST_ADDRESS_SPACE_SIZE, "host address-space size", REQUIRED},
    {CONTROL_EXIT, EXIT_SAVE_IA32_PAT, "save IA32_PAT", REQUIRED},
    {CONTROL_EXIT, EXIT_LOAD_IA32_PAT, "load IA32_PAT", REQUIRED},
    {CONTROL_EXIT, EXIT_SAVE_IA32_EFER, "save IA32_EFER", REQUIRED},
    {CONTROL_EXIT, EXIT_LOAD_IA32_EFER, "load IA32_EFER", REQUIRED},

    {CONTROL_ENTRY, ENTRY_LOAD_DEBUG_CONTROLS, "load debug controls", REQUIRED},
    {CONTROL_ENTRY, ENTRY_LOAD_IA32_PAT, "load IA32_PAT", REQUIRED},
    {CONTROL_ENTRY, ENTRY_LOAD_IA32_EFER, "load IA32_EFER", REQUIRED},
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

static void name_missing(struct text *missing, const char *name, const char *kind)
{
    text_append(missing, "%s\"%s\" (%s)", missing->length > 0 ? ", " : "", name, kind);
}

/* The bits of all rows that the processor allows, by kind. */
static enum status choose(const struct vmx_capabilities *capabilities,
                          uint32_t wanted[CONTROL_KINDS], struct text *missing)
{
    uint64_t misc      = vmx_capability_value(capabilities, MSR_IA32_VMX_MISC);
    enum status status = STATUS_OK;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *row = &rows[i];
        bool allowed          = is_allowed(capabilities, row);
        if (allowed && row->need != ON_DEMAND)
            wanted[row->kind] |= row->bit;
        if (allowed || row->need == OPTIONAL)
            continue;
        name_missing(missing, row->name, kind_names[row->kind]);
        status = STATUS_UNSUPPORTED;
    }
    if ((misc & VMX_MISC_ACTIVITY_HLT) != 0)
        return status;
    name_missing(missing, "HLT", "activity state");
    return STATUS_UNSUPPORTED;
}

enum status vcpu_controls_fit(const struct vmx_capabilities *capabilities,
                              struct vcpu_controls *controls, struct text *missing)
{
    uint32_t wanted[CONTROL_KINDS] = {0};
    struct vcpu_controls fitted;

    if (choose(capabilities, wanted, missing) != STATUS_OK)
        return STATUS_UNSUPPORTED;
    for (enum vmx_control kind = CONTROL_PIN_BASED; kind < CONTROL_KINDS; kind++) {
        if (vmx_control_fit(capabilities, kind, wanted[kind], &fitted.field[kind]) != 0)
            return STATUS_UNSUPPORTED; /* each bit was allowed alone: cannot be */
    }
    *controls = fitted;
    return STATUS_OK;
}
