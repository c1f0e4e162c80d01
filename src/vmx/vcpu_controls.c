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
    enum need need;
} rows[] = {
    {CONTROL_PIN_BASED, PIN_BASED_EXTERNAL_INTERRUPT_EXITING, REQUIRED},
    {CONTROL_PIN_BASED, PIN_BASED_NMI_EXITING, REQUIRED},
    {CONTROL_PIN_BASED, PIN_BASED_VIRTUAL_NMIS, REQUIRED},
    {CONTROL_PIN_BASED, PIN_BASED_ACTIVATE_PREEMPTION_TIMER, OPTIONAL},

    {CONTROL_PRIMARY, PRIMARY_INTERRUPT_WINDOW_EXITING, ON_DEMAND},
    {CONTROL_PRIMARY, PRIMARY_USE_TSC_OFFSETTING, REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_HLT_EXITING, REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_MWAIT_EXITING, REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_RDPMC_EXITING, REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_CR8_LOAD_EXITING, REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_CR8_STORE_EXITING, REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_NMI_WINDOW_EXITING, ON_DEMAND},
    {CONTROL_PRIMARY, PRIMARY_USE_IO_BITMAPS, REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_USE_MSR_BITMAPS, REQUIRED},
    {CONTROL_PRIMARY, PRIMARY_MONITOR_EXITING, REQUIRED},
    {CONTROL_PRIMARY, (uint32_t)PRIMARY_ACTIVATE_SECONDARY_CONTROLS, REQUIRED},

    {CONTROL_SECONDARY, SECONDARY_ENABLE_EPT, REQUIRED},
    {CONTROL_SECONDARY, SECONDARY_UNRESTRICTED_GUEST, REQUIRED},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_RDTSCP, OPTIONAL},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_VPID, OPTIONAL},
    {CONTROL_SECONDARY, SECONDARY_WBINVD_EXITING, OPTIONAL},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_INVPCID, OPTIONAL},
    {CONTROL_SECONDARY, SECONDARY_ENABLE_USER_WAIT_PAUSE, OPTIONAL},

    {CONTROL_EXIT, EXIT_SAVE_DEBUG_CONTROLS, REQUIRED},
    {CONTROL_EXIT, EXIT_HOST_ADDRESS_SPACE_SIZE, REQUIRED},
    {CONTROL_EXIT, EXIT_SAVE_IA32_PAT, REQUIRED},
    {CONTROL_EXIT, EXIT_LOAD_IA32_PAT, REQUIRED},
    {CONTROL_EXIT, EXIT_SAVE_IA32_EFER, REQUIRED},
    {CONTROL_EXIT, EXIT_LOAD_IA32_EFER, REQUIRED},

    {CONTROL_ENTRY, ENTRY_LOAD_DEBUG_CONTROLS, REQUIRED},
    {CONTROL_ENTRY, ENTRY_LOAD_IA32_PAT, REQUIRED},
    {CONTROL_ENTRY, ENTRY_LOAD_IA32_EFER, REQUIRED},
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
        const struct row *row           = &rows[i];
        bool allowed                    = is_allowed(capabilities, row);
        enum vmx_capability_group group = vmx_control_group(row->kind);
        if (allowed && row->need != ON_DEMAND)
            wanted[row->kind] |= row->bit;
        if (allowed || row->need == OPTIONAL)
            continue;
        name_missing(missing, capability_name(&vmx_capability_table, group, row->bit),
                     vmx_capability_table.groups[group].singular);
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

uint32_t vcpu_controls_required(enum vmx_control kind)
{
    uint32_t required = 0;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].kind == kind && rows[i].need != OPTIONAL)
            required |= rows[i].bit;
    }
    return required;
}
