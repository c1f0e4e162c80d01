/* See vcpu_controls.h. */
#include "vmx/vcpu_controls.h"

/*
 * The controls that vCPUs use, by group. A control that the processor demands and that is
 * in no column would exit, or not, in a way that Hymir does not handle. SDM 3D,
 * "Reserved Controls and Default Settings", has the default1 controls.
 */
static const struct row {
    enum vmx_capability_group group;
    uint32_t required, optional;
    uint32_t on_demand; /* required, and off at first */
    uint32_t reserved;  /* default1 controls without a name, which may have to be 1 */
} rows[] = {
    {GROUP_PIN_BASED,
     PIN_BASED_EXTERNAL_INTERRUPT_EXITING | PIN_BASED_NMI_EXITING |
         PIN_BASED_VIRTUAL_NMIS,
     PIN_BASED_ACTIVATE_PREEMPTION_TIMER, 0, 0x16},
    {GROUP_PRIMARY,
     PRIMARY_USE_TSC_OFFSETTING | PRIMARY_HLT_EXITING | PRIMARY_MWAIT_EXITING |
         PRIMARY_RDPMC_EXITING | PRIMARY_CR8_LOAD_EXITING | PRIMARY_CR8_STORE_EXITING |
         PRIMARY_USE_IO_BITMAPS | PRIMARY_USE_MSR_BITMAPS | PRIMARY_MONITOR_EXITING |
         (uint32_t)PRIMARY_ACTIVATE_SECONDARY_CONTROLS,
     0, PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_NMI_WINDOW_EXITING, 0x04006172},
    {GROUP_SECONDARY, SECONDARY_ENABLE_EPT | SECONDARY_UNRESTRICTED_GUEST,
     SECONDARY_ENABLE_RDTSCP | SECONDARY_ENABLE_VPID | SECONDARY_WBINVD_EXITING |
         SECONDARY_ENABLE_INVPCID | SECONDARY_ENABLE_USER_WAIT_PAUSE |
         SECONDARY_ENABLE_ENCLS_EXITING | SECONDARY_ENABLE_ENCLV_EXITING,
     0, 0},
    {GROUP_VM_EXIT,
     VM_EXIT_SAVE_DEBUG_CONTROLS | VM_EXIT_HOST_ADDRESS_SPACE_SIZE |
         VM_EXIT_SAVE_IA32_PAT | VM_EXIT_LOAD_IA32_PAT | VM_EXIT_SAVE_IA32_EFER |
         VM_EXIT_LOAD_IA32_EFER,
     VM_EXIT_SAVE_PREEMPTION_TIMER, 0, 0x36DFB},
    {GROUP_VM_ENTRY,
     VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_LOAD_IA32_PAT | VM_ENTRY_LOAD_IA32_EFER, 0,
     0, 0x11FB},
};

static void append_missing(struct text *missing, const char *name, const char *kind)
{
    text_append(missing, "%s\"%s\" (%s)", missing->length > 0 ? ", " : "", name, kind);
}

/* Returns the controls without the translations or invalidations that Hymir needs. */
static uint64_t unusable_secondary_controls(const struct vmx_capabilities *capabilities)
{
    bool has_vpid = vmx_has_ept_capability(capabilities, INVVPID_OF_ALL_CONTEXTS);

    return (vmx_has_ept(capabilities) ? 0 : SECONDARY_ENABLE_EPT) |
           (has_vpid ? 0 : SECONDARY_ENABLE_VPID);
}

/* Appends that a control must be able to be 0. */
static void append_demanded(struct text *missing, enum vmx_capability_group group,
                            uint64_t bit)
{
    const char *name = capability_name(&vmx_capability_table, group, bit);
    TEXT_DECLARE(number, 16);

    text_append(&number, "bit %u", (unsigned int)__builtin_ctzll(bit));
    text_append(missing, "%sa 0 of \"%s\" (%s)", missing->length > 0 ? ", " : "",
                name != NULL ? name : number.buffer,
                vmx_capability_table.groups[group].singular);
}

/* Fits a row's controls. Returns false if any are missing, and appends their names. */
static bool fit_row(const struct vmx_capabilities *capabilities, const struct row *row,
                    uint32_t *field, struct text *missing)
{
    struct capability_bits bits = vmx_capability_bits(capabilities, row->group);

    if (row->group == GROUP_SECONDARY)
        bits.may_be_1 &= ~unusable_secondary_controls(capabilities);
    uint64_t lacking = (row->required | row->on_demand) & ~bits.may_be_1;
    uint64_t demanded =
        bits.must_be_1 & ~(uint64_t)(row->required | row->optional | row->reserved);
    *field =
        (uint32_t)(bits.must_be_1 | ((row->required | row->optional) & bits.may_be_1));
    for (uint64_t rest = lacking; rest != 0; rest &= rest - 1)
        append_missing(missing,
                       capability_name(&vmx_capability_table, row->group, rest & -rest),
                       vmx_capability_table.groups[row->group].singular);
    for (uint64_t rest = demanded; rest != 0; rest &= rest - 1)
        append_demanded(missing, row->group, rest & -rest);
    return (lacking | demanded) == 0;
}

enum status vcpu_controls_fit(const struct vmx_capabilities *capabilities,
                              struct vcpu_controls *controls, struct text *missing)
{
    uint64_t misc   = vmx_capability_value(capabilities, MSR_IA32_VMX_MISC);
    bool has_hlt    = (misc & VMX_MISC_ACTIVITY_HLT) != 0;
    bool has_invept = vmx_has_ept_capability(capabilities, INVEPT_OF_ALL_CONTEXTS);
    bool fits       = has_hlt && has_invept;
    struct vcpu_controls fitted = {0};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        fits &= fit_row(capabilities, &rows[i], &fitted.field[rows[i].group], missing);
    if (!has_hlt)
        append_missing(missing, "HLT", "activity state");
    if (!has_invept)
        append_missing(missing, "INVEPT: all-context", "EPT capability");
    if (!fits)
        return STATUS_UNSUPPORTED;
    *controls = fitted;
    return STATUS_OK;
}

uint64_t vcpu_controls_required(uint32_t group)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].group == group)
            return rows[i].required | rows[i].on_demand;
    }
    return 0;
}
