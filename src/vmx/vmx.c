/* See vmx.h. */
#include "vmx/vmx.h"

#include "vmx/checks.h"
#include "vmx/ept.h"
#include "vmx/feature_control.h"
#include "vmx/record.h"
#include "vmx/trial.h"
#include "vmx/vcpu.h"
#include "vmx/vcpu_controls.h"
#include "x86/cpuid.h"
#include "x86/msr.h"

static bool is_offered(const struct cpuid_snapshot *cpuid)
{
    return (cpuid->leaf_1.ecx & CPUID_1_ECX_VMX) != 0;
}

#define OWN(member) \
    (offsetof(struct cpu_record, own) + offsetof(struct vmx_record, member))
#define CAPABILITY(name)                                               \
    {                                                                  \
        "IA32_VMX_" #name, MSR_IA32_VMX_##name,                        \
            OWN(capabilities.msr[MSR_IA32_VMX_##name - VMX_MSR_FIRST]) \
    }
static const struct register_row registers[] = {
    {"IA32_FEATURE_CONTROL", MSR_IA32_FEATURE_CONTROL, OWN(feature_control)},
    {"IA32_MISC_ENABLE", MSR_IA32_MISC_ENABLE, OWN(misc_enable)},
    {"IA32_ARCH_CAPABILITIES", MSR_IA32_ARCH_CAPABILITIES,
     offsetof(struct cpu_record, arch_capabilities)},
    CAPABILITY(BASIC),
    CAPABILITY(PINBASED_CTLS),
    CAPABILITY(PROCBASED_CTLS),
    CAPABILITY(EXIT_CTLS),
    CAPABILITY(ENTRY_CTLS),
    CAPABILITY(MISC),
    CAPABILITY(CR0_FIXED0),
    CAPABILITY(CR0_FIXED1),
    CAPABILITY(CR4_FIXED0),
    CAPABILITY(CR4_FIXED1),
    CAPABILITY(VMCS_ENUM),
    CAPABILITY(PROCBASED_CTLS2),
    CAPABILITY(EPT_VPID_CAP),
    CAPABILITY(TRUE_PINBASED_CTLS),
    CAPABILITY(TRUE_PROCBASED_CTLS),
    CAPABILITY(TRUE_EXIT_CTLS),
    CAPABILITY(TRUE_ENTRY_CTLS),
    CAPABILITY(VMFUNC),
    CAPABILITY(PROCBASED_CTLS3),
    CAPABILITY(EXIT_CTLS2),
    {"IA32_RTIT_CTL", MSR_IA32_RTIT_CTL, OWN(rtit_control)}, /* not compared */
};
#undef OWN
#undef CAPABILITY

static bool read_capabilities(const struct cpu_record *record,
                              struct capability_set *capabilities)
{
    const struct vmx_capabilities *own = &vmx_record(record)->capabilities;

    for (enum vmx_capability_group group = GROUP_BASIC; group < GROUP_COUNT; group++)
        capabilities->group[group] = vmx_capability_bits(own, group);
    return vmx_capability(own, MSR_IA32_VMX_BASIC)->state == MSR_READ;
}

static uint64_t required_capabilities(uint32_t group)
{
    for (enum vmx_control control = CONTROL_PIN_BASED; control < CONTROL_KINDS;
         control++) {
        if (vmx_control_group(control) == group)
            return vcpu_controls_required(control);
    }
    return 0;
}

/*
 * Returns the first CPU whose IA32_FEATURE_CONTROL firmware left unlike the boot CPU's,
 * or count.
 */
static size_t first_unlike_boot_cpu(const struct cpu_record *records, size_t count)
{
    const struct msr_reading *boot_cpu = &vmx_record(&records[0])->feature_control;

    for (size_t i = 1; i < count; i++) {
        const struct msr_reading *other = &vmx_record(&records[i])->feature_control;
        if (boot_cpu->state == MSR_READ && other->state == MSR_READ &&
            other->value != boot_cpu->value)
            return i;
    }
    return count;
}

static void append_changes(const struct cpu_record *records, size_t count,
                           struct text *text)
{
    size_t locked = 0;
    size_t other  = first_unlike_boot_cpu(records, count);

    for (size_t i = 0; i < count; i++) {
        const struct vmx_steps *steps = &vmx_record(&records[i])->steps;
        if (steps->feature_control_written &&
            (steps->feature_control.value & FEATURE_CONTROL_LOCK) != 0)
            locked++;
    }
    if (locked > 0)
        text_append(text,
                    "; Hymir set the lock bit of IA32_FEATURE_CONTROL on %zu of %zu "
                    "CPUs: it stays set until reset",
                    locked, count);
    if (other < count)
        text_append(text,
                    "; firmware left IA32_FEATURE_CONTROL = 0x%lx on cpu 0 and 0x%lx on "
                    "cpu %zu",
                    vmx_record(&records[0])->feature_control.value,
                    vmx_record(&records[other])->feature_control.value, other);
}

static enum status find_missing(const struct cpu_record *record, struct text *missing)
{
    struct vcpu_controls controls;
    return vcpu_controls_fit(&vmx_record(record)->capabilities, &controls, missing);
}

static bool needs_apic_timer(const struct cpu_record *record)
{
    struct capability_bits bits =
        vmx_capability_bits(&vmx_record(record)->capabilities, GROUP_PIN_BASED);
    return (bits.may_be_1 & PIN_BASED_ACTIVATE_PREEMPTION_TIMER) == 0;
}

static void set_large_pages(const struct cpu_record *record, bool are_allowed)
{
    ept_choose_page_size(&vmx_record(record)->capabilities, !are_allowed);
}

const struct virtualization vt_x = {
    .name    = "VT-x",
    .success = "VMX root operation entered and left",
    .setting = "enable Intel Virtualization Technology (VT-x, VMX)",

    .is_offered = is_offered,

    .trial_pages    = VMX_TRIAL_PAGES,
    .read_registers = vmx_trial_read_registers,
    .checks         = vmx_checks,
    .check_count    = VMX_CHECK_COUNT,
    .enter_check    = VMX_CHECK_VMXON,
    .guest_check    = VMX_CHECK_GUEST,
    .timings        = vmx_timings,
    .timing_count   = VMX_TIMINGS,

    .registers             = registers,
    .register_count        = ARRAY_SIZE(registers),
    .compared_count        = ARRAY_SIZE(registers) - 1,
    .capability_table      = &vmx_capability_table,
    .read_capabilities     = read_capabilities,
    .required_capabilities = required_capabilities,
    .append_changes        = append_changes,

    .find_missing     = find_missing,
    .needs_apic_timer = needs_apic_timer,
    .set_large_pages  = set_large_pages,
    .backend          = &vmx_backend,
};
