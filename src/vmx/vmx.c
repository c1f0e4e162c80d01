/* See vmx.h. */
#include "vmx/vmx.h"

#include "vmx/checks.h"
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
static const struct register_row registers[] = {
    {"IA32_FEATURE_CONTROL", MSR_IA32_FEATURE_CONTROL, OWN(feature_control)},
    {"IA32_ARCH_CAPABILITIES", MSR_IA32_ARCH_CAPABILITIES,
     offsetof(struct cpu_record, arch_capabilities)},
#define CAPABILITY(name, number) \
    {"IA32_VMX_" #name, (number), OWN(capabilities.msr[(number)-VMX_MSR_FIRST])},
    VMX_MSRS(CAPABILITY){"IA32_MISC_ENABLE", MSR_IA32_MISC_ENABLE, OWN(misc_enable)},
    {"IA32_RTIT_CTL", MSR_IA32_RTIT_CTL, OWN(rtit_control)}, /* not compared */
};

/* The usual values are those of most processors. */
#define MSR(name, usual) \
    SHORT_FORM_MSR, OWN(capabilities.msr[MSR_IA32_VMX_##name - VMX_MSR_FIRST]), usual
static const struct short_form_row short_form[] = SHORT_FORM(
    {SHORT_FORM_MSR, OWN(feature_control), 0},
    {SHORT_FORM_MSR, offsetof(struct cpu_record, arch_capabilities), 0},
    {MSR(BASIC, 0x00DA040000000000)}, {MSR(PINBASED_CTLS, 0x0000007F00000016)},
    {MSR(PROCBASED_CTLS, 0xFFF9FFFE0401E172)}, {MSR(EXIT_CTLS, 0x007FFFFF00036DFF)},
    {MSR(ENTRY_CTLS, 0x0000FFFF000011FF)}, {MSR(MISC, 0)}, {MSR(CR0_FIXED0, 0x80000021)},
    {MSR(CR0_FIXED1, 0xFFFFFFFF)}, {MSR(CR4_FIXED0, 0x2000)}, {MSR(CR4_FIXED1, 0)},
    {MSR(VMCS_ENUM, 0)}, {MSR(PROCBASED_CTLS2, 0)},
    {MSR(EPT_VPID_CAP, 0x00000F0106334141)},
    {MSR(TRUE_PINBASED_CTLS, 0x0000007F00000016)},
    {MSR(TRUE_PROCBASED_CTLS, 0xFFF9FFFE04006172)},
    {MSR(TRUE_EXIT_CTLS, 0x007FFFFF00036DFB)}, {MSR(TRUE_ENTRY_CTLS, 0x0000FFFF000011FB)},
    {MSR(VMFUNC, 0)}, {MSR(PROCBASED_CTLS3, 0)}, {MSR(EXIT_CTLS2, 0)});
_Static_assert(ARRAY_SIZE(short_form) <= SHORT_FORM_MAX_ROWS, "they fit");

static bool read_capabilities(const struct cpu_record *record,
                              struct capability_set *capabilities)
{
    const struct vmx_capabilities *own = &vmx_record(record)->capabilities;

    for (enum vmx_capability_group group = GROUP_BASIC; group < GROUP_COUNT; group++)
        capabilities->group[group] = vmx_capability_bits(own, group);
    return vmx_capability(own, MSR_IA32_VMX_BASIC)->state == MSR_READ;
}

static bool is_locked_by_hymir(const struct vmx_record *record)
{
    return (record->steps.feature_control.reading.value & FEATURE_CONTROL_LOCK) != 0;
}

static void append_changes(const struct cpu_record *records, size_t count,
                           struct text *text)
{
    size_t locked = 0;

    for (size_t i = 0; i < count; i++)
        locked += is_locked_by_hymir(vmx_record(&records[i]));
    if (locked > 0)
        text_append(text,
                    "; Hymir set the lock bit of IA32_FEATURE_CONTROL on %zu of %zu "
                    "CPUs: it stays set until reset",
                    locked, count);
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
    return (bits.may_be_1 & PIN_BASED_ACTIVATE_PREEMPTION_TIMER) == 0 ||
           cpuid_has_preemption_timer_erratum(&record->cpuid);
}

static uint64_t largest_page(const struct cpu_record *record)
{
    const struct vmx_capabilities *own = &vmx_record(record)->capabilities;

    if (vmx_has_ept_capability(own, EPT_CAP_PAGES_1_GIB))
        return PAGE_SIZE_1_GIB;
    return vmx_has_ept_capability(own, EPT_CAP_PAGES_2_MIB) ? PAGE_SIZE_2_MIB : PAGE_SIZE;
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
    .short_form            = short_form,
    .short_form_count      = ARRAY_SIZE(short_form),
    .capability_table      = &vmx_capability_table,
    .read_capabilities     = read_capabilities,
    .required_capabilities = vcpu_controls_required,
    .firmware_setting      = {"IA32_FEATURE_CONTROL", MSR_IA32_FEATURE_CONTROL,
                              OWN(feature_control)},
    .append_changes        = append_changes,

    .find_missing     = find_missing,
    .needs_apic_timer = needs_apic_timer,
    .largest_page     = largest_page,
    .backend          = &vmx_backend,
};
