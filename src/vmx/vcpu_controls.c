/* See vcpu_controls.h. */
#include "vmx/vcpu_controls.h"

/*
 * The controls and capabilities that vCPUs use, by group. A control that the processor
 * demands and that is in no column would exit, or not, in a way that Hymir does not
 * handle. SDM 3D, "Reserved Controls and Default Settings", has the default1 controls.
 */
static const struct row {
    enum vmx_capability_group group;
    uint32_t required, optional;
    uint32_t on_demand; /* required, and off at first */
    uint32_t reserved;  /* default1 controls without a name, which may have to be 1 */
    uint32_t switched;  /* optional, and off at first */
} rows[] = {
    {GROUP_PIN_BASED,
     PIN_BASED_EXTERNAL_INTERRUPT_EXITING | PIN_BASED_NMI_EXITING |
         PIN_BASED_VIRTUAL_NMIS,
     PIN_BASED_ACTIVATE_PREEMPTION_TIMER, 0, 0x16, 0},
    {GROUP_PRIMARY,
     PRIMARY_USE_TSC_OFFSETTING | PRIMARY_HLT_EXITING | PRIMARY_MWAIT_EXITING |
         PRIMARY_RDPMC_EXITING | PRIMARY_CR8_LOAD_EXITING | PRIMARY_CR8_STORE_EXITING |
         PRIMARY_USE_IO_BITMAPS | PRIMARY_USE_MSR_BITMAPS | PRIMARY_MONITOR_EXITING |
         (uint32_t)PRIMARY_ACTIVATE_SECONDARY_CONTROLS,
     0, PRIMARY_INTERRUPT_WINDOW_EXITING | PRIMARY_NMI_WINDOW_EXITING, 0x04006172,
     PRIMARY_USE_TPR_SHADOW},
    {GROUP_SECONDARY, SECONDARY_ENABLE_EPT | SECONDARY_UNRESTRICTED_GUEST,
     SECONDARY_ENABLE_RDTSCP | SECONDARY_ENABLE_VPID | SECONDARY_WBINVD_EXITING |
         SECONDARY_ENABLE_INVPCID | SECONDARY_ENABLE_USER_WAIT_PAUSE |
         SECONDARY_ENABLE_ENCLS_EXITING | SECONDARY_ENABLE_ENCLV_EXITING |
         SECONDARY_VMM_BUS_LOCK_DETECTION | (uint32_t)SECONDARY_INSTRUCTION_TIMEOUT,
     0, 0,
     SECONDARY_VIRTUALIZE_APIC_ACCESSES | SECONDARY_VIRTUALIZE_X2APIC_MODE |
         SECONDARY_APIC_REGISTER_VIRTUALIZATION | SECONDARY_VIRTUAL_INTERRUPT_DELIVERY},
    {GROUP_VM_EXIT,
     VM_EXIT_SAVE_DEBUG_CONTROLS | VM_EXIT_HOST_ADDRESS_SPACE_SIZE |
         VM_EXIT_SAVE_IA32_PAT | VM_EXIT_LOAD_IA32_PAT | VM_EXIT_SAVE_IA32_EFER |
         VM_EXIT_LOAD_IA32_EFER,
     VM_EXIT_SAVE_PREEMPTION_TIMER, 0, 0x36DFB, 0},
    {GROUP_VM_ENTRY,
     VM_ENTRY_LOAD_DEBUG_CONTROLS | VM_ENTRY_LOAD_IA32_PAT | VM_ENTRY_LOAD_IA32_EFER, 0,
     0, 0x11FB, 0},
    {GROUP_MISC, VMX_MISC_ACTIVITY_HLT, 0, 0, 0, 0},
    {GROUP_EPT_VPID, EPT_CAP_WALK_LENGTH_4 | EPT_CAP_WRITE_BACK | INVEPT_OF_ALL_CONTEXTS,
     0, 0, 0, 0},
};

static struct required_capabilities row_required(const struct row *row)
{
    bool is_control = vmx_capability_table.groups[row->group].has_settings;
    uint32_t used   = row->required | row->optional | row->reserved;

    return (struct required_capabilities){
        .ones  = row->required | row->on_demand,
        .zeros = is_control ? (uint32_t)~used : 0,
    };
}

/* Appends the names of bits, each after the words. */
static void append_missing(struct text *missing, const char *words,
                           enum vmx_capability_group group, uint64_t bits)
{
    for (; bits != 0; bits &= bits - 1) {
        text_append(missing, "%s%s", missing->length > 0 ? ", " : "", words);
        capability_append_name(&vmx_capability_table, group, bits & -bits, missing);
        text_append(missing, " (%s)", vmx_capability_table.groups[group].singular);
    }
}

/* Fits a row's controls. Returns false if any are missing, and appends their names. */
static bool fit_row(const struct vmx_capabilities *capabilities, const struct row *row,
                    struct vcpu_controls *fitted, struct text *missing)
{
    struct capability_bits bits          = vmx_capability_bits(capabilities, row->group);
    struct required_capabilities require = row_required(row);

    if (row->group == GROUP_SECONDARY &&
        !vmx_has_ept_capability(capabilities, INVVPID_OF_ALL_CONTEXTS))
        bits.may_be_1 &= ~(uint64_t)SECONDARY_ENABLE_VPID;
    uint64_t lacking  = require.ones & ~bits.may_be_1;
    uint64_t demanded = require.zeros & bits.must_be_1;
    append_missing(missing, "", row->group, lacking);
    append_missing(missing, "a 0 of ", row->group, demanded);
    if (row->group <= GROUP_VM_ENTRY) {
        fitted->field[row->group] =
            (uint32_t)(bits.must_be_1 |
                       ((row->required | row->optional) & bits.may_be_1));
        fitted->switched[row->group] = row->switched & (uint32_t)bits.may_be_1;
    }
    return (lacking | demanded) == 0;
}

enum status vcpu_controls_fit(const struct vmx_capabilities *capabilities,
                              struct vcpu_controls *controls, struct text *missing)
{
    struct vcpu_controls fitted = {0};
    bool fits                   = true;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        fits &= fit_row(capabilities, &rows[i], &fitted, missing);
    if (!fits)
        return STATUS_UNSUPPORTED;
    *controls = fitted;
    return STATUS_OK;
}

struct required_capabilities vcpu_controls_required(uint32_t group)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].group == group)
            return row_required(&rows[i]);
    }
    return (struct required_capabilities){0};
}
