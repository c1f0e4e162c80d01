/*
 * The checks of VT-x, from CPUID to VMXOFF, in order.
 *
 * Pure: functions of a record. vmx/trial.c performs the steps.
 */
#include "vmx/checks.h"

#include "virt/exception_rules.h"
#include "vmx/feature_control.h"
#include "vmx/fixed_bits.h"
#include "vmx/record.h"
#include "vmx/trial.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"
#include "x86/cpuid.h"
#include "x86/exceptions.h"
#include "x86/msr.h"

static const struct vmx_capabilities *capabilities_of(const struct cpu_record *record)
{
    return &vmx_record(record)->capabilities;
}

/* Returns whether a capability MSR could be read; if not, appends the reason. */
static bool has_capability(const struct cpu_record *record, enum vmx_msr msr,
                           struct text *detail)
{
    const struct msr_reading *reading = vmx_capability(capabilities_of(record), msr);

    if (reading->state == MSR_READ)
        return true;
    return TEXT_FAIL(detail, "RDMSR of %s (0x%x) raised %s, though CPUID announces VMX",
                     vmx_msr_name(msr), (unsigned int)msr,
                     exception_mnemonic(reading->vector));
}

/* Returns whether an instruction succeeded; if not, appends its outcome. */
static bool has_succeeded(const struct vmx_attempt *attempt, const char *instruction,
                          struct text *detail)
{
    if (vmx_attempt_succeeded(attempt))
        return true;
    vmx_attempt_describe(attempt, instruction, detail);
    return false;
}

static bool check_cpuid(const struct cpu_record *record, struct text *detail)
{
    uint32_t ecx = record->cpuid.leaf_1.ecx;
    bool has_vmx = (ecx & CPUID_1_ECX_VMX) != 0;

    text_append(detail, "CPUID.01H:ECX[5] = %d (ECX = 0x%08x)", has_vmx ? 1 : 0, ecx);
    return has_vmx;
}

static void append_feature_control(struct text *detail, uint64_t value)
{
    static const char *const words[] = {
        [FEATURE_CONTROL_ENABLED]    = "locked, VMX outside SMX enabled",
        [FEATURE_CONTROL_UNLOCKED]   = "unlocked",
        [FEATURE_CONTROL_LOCKED_OFF] = "locked, VMX disabled",
        [FEATURE_CONTROL_TXT_ONLY]   = "locked, VMX inside SMX (TXT) only",
    };
    text_append(detail, "0x%lx: %s", value, words[feature_control_state(value)]);
}

/* Judges the value that was read back if Hymir wrote the register, else the one found. */
static bool check_feature_control(const struct cpu_record *record, struct text *detail)
{
    const struct msr_reading *found = &vmx_record(record)->feature_control;
    const struct msr_write *write   = &vmx_record(record)->steps.feature_control;

    if (found->state != MSR_READ)
        return TEXT_FAIL(detail, "RDMSR of IA32_FEATURE_CONTROL (0x3A) raised %s",
                         exception_mnemonic(found->vector));
    if (!write->is_tried) {
        append_feature_control(detail, found->value);
        return feature_control_state(found->value) == FEATURE_CONTROL_ENABLED;
    }
    if (write->fault != FAULT_NONE)
        return TEXT_FAIL(detail, "0x%lx: unlocked, but WRMSR of 0x%lx raised %s",
                         found->value, write->written,
                         exception_mnemonic(FAULT_VECTOR(write->fault)));
    if (write->reading.state != MSR_READ ||
        feature_control_state(write->reading.value) != FEATURE_CONTROL_ENABLED)
        return TEXT_FAIL(detail, "0x%lx: unlocked, written 0x%lx, but reads 0x%lx",
                         found->value, write->written, write->reading.value);
    text_append(detail, "0x%lx, unlocked; set to 0x%lx by Hymir", found->value,
                write->reading.value);
    return true;
}

static bool check_basic(const struct cpu_record *record, struct text *detail)
{
    if (!has_capability(record, MSR_IA32_VMX_BASIC, detail))
        return false;
    uint64_t basic = vmx_capability_value(capabilities_of(record), MSR_IA32_VMX_BASIC);
    uint32_t size  = VMX_BASIC_REGION_SIZE(basic);
    uint32_t type  = VMX_BASIC_MEMORY_TYPE(basic);

    text_append(detail, "0x%016lx: ", basic);
    if ((basic & VMX_BASIC_RESERVED_31) != 0)
        return TEXT_FAIL(detail, "bit 31 is set; the SDM defines it as 0");
    if (size == 0 || size > PAGE_SIZE)
        return TEXT_FAIL(detail, "a region of %u bytes; the SDM allows 1 to 4096", size);
    if (type != VMX_MEMORY_TYPE_WRITE_BACK)
        return TEXT_FAIL(detail, "memory type %u; Hymir supports only write-back (6)",
                         type);
    text_append(detail, "revision 0x%x, %u bytes%s", VMX_BASIC_REVISION(basic), size,
                (basic & VMX_BASIC_ADDRESSES_32_BIT) != 0 ? ", below 4 GiB" : "");
    return true;
}

static const char *const fixed_bits_reasons[] = {
    [FIXED_BITS_OK]            = "",
    [FIXED_BITS_CONTRADICTION] = "is required by FIXED0 but not allowed by FIXED1",
    [FIXED_BITS_UNKNOWN]       = "is required by FIXED0, but Hymir cannot set it",
    [FIXED_BITS_FORBIDDEN]     = "is required by Hymir but not allowed by FIXED1",
};

static bool check_fixed_bits(const struct cpu_record *record,
                             const struct fixed_bits *which, uint64_t value,
                             struct text *detail)
{
    if (!has_capability(record, which->fixed0, detail) ||
        !has_capability(record, which->fixed0 + 1, detail))
        return false;
    struct fixed_bits_result result =
        fixed_bits_fit_processor(which, value, capabilities_of(record));
    uint64_t fixed0 = vmx_capability_value(capabilities_of(record), which->fixed0);
    uint64_t fixed1 = vmx_capability_value(capabilities_of(record), which->fixed0 + 1);
    if (result.outcome == FIXED_BITS_OK) {
        text_append(detail, "0x%lx within 0x%lx and 0x%lx", result.value, fixed0, fixed1);
        return true;
    }
    const char *name =
        capability_name(&vmx_capability_table, which->group, BIT(result.bit));
    return TEXT_FAIL(
        detail, "%s bit %u (%s) %s (%s = 0x%lx, FIXED0 = 0x%lx, FIXED1 = 0x%lx)",
        which->name, result.bit, name == NULL ? "unnamed" : name,
        fixed_bits_reasons[result.outcome], which->name, value, fixed0, fixed1);
}

static bool check_cr0(const struct cpu_record *record, struct text *detail)
{
    return check_fixed_bits(record, &fixed_bits_cr0, record->cr0, detail);
}

static bool check_cr4(const struct cpu_record *record, struct text *detail)
{
    if ((record->cr4 & CR4_VMXE) != 0)
        return TEXT_FAIL(
            detail,
            "CR4.VMXE is set and cannot be cleared (CR4 = 0x%lx): software started "
            "before Hymir is using VMX",
            record->cr4);
    return check_fixed_bits(record, &fixed_bits_cr4, record->cr4 | CR4_VMXE, detail);
}

/* Appends the state of Intel PT; if IA32_VMX_MISC[14] is clear, VMXON clears TraceEn. */
static void append_intel_pt(const struct cpu_record *record, struct text *detail)
{
    const struct msr_reading *control = &vmx_record(record)->rtit_control;
    uint64_t misc = vmx_capability_value(capabilities_of(record), MSR_IA32_VMX_MISC);

    if (control->state == MSR_NOT_READ)
        text_append(detail, "the processor has none");
    else if (control->state == MSR_FAULTED)
        text_append(detail, "RDMSR of IA32_RTIT_CTL raised %s; assumed off",
                    exception_mnemonic(control->vector));
    else if ((control->value & RTIT_CTL_TRACE_ENABLE) == 0)
        text_append(detail, "off");
    else
        text_append(detail, "tracing (IA32_RTIT_CTL = 0x%lx)%s", control->value,
                    (misc & VMX_MISC_INTEL_PT) != 0 ? ", allowed with VMX"
                                                    : "; VMXON ends the trace");
}

/* VMXON does not fault while tracing is on, so tracing is reported and passes. */
static bool check_intel_pt(const struct cpu_record *record, struct text *detail)
{
    append_intel_pt(record, detail);
    return true;
}

static bool check_vmxon(const struct cpu_record *record, struct text *detail)
{
    const struct vmx_steps *steps = &vmx_record(record)->steps;

    if (steps->control_fault != FAULT_NONE)
        return TEXT_FAIL(detail, "setting the fixed bits of CR0 or CR4 raised %s",
                         exception_mnemonic(FAULT_VECTOR(steps->control_fault)));
    vmx_attempt_describe(&steps->vmxon, "VMXON", detail);
    return vmx_attempt_succeeded(&steps->vmxon);
}

/*
 * Outside VMX operation VMPTRST raises #UD; in it, without a current VMCS, it stores all
 * ones. A second VMXON ends with an error number only in root operation.
 */
static bool check_root_operation(const struct cpu_record *record, struct text *detail)
{
    const struct vmx_steps *steps    = &vmx_record(record)->steps;
    const struct vmx_attempt *second = &steps->second_vmxon;

    if (!has_succeeded(&steps->vmptrst, "VMPTRST", detail) ||
        !has_succeeded(&steps->vmclear, "VMCLEAR", detail) ||
        !has_succeeded(&steps->vmptrld, "VMPTRLD", detail))
        return false;
    if (steps->vmptrst_pointer != UINT64_MAX)
        return TEXT_FAIL(detail,
                         "VMPTRST stored 0x%lx; expected all ones without a current VMCS",
                         steps->vmptrst_pointer);
    if (!second->is_tried || second->fault != FAULT_NONE ||
        second->result != VMX_FAIL_VALID ||
        second->error != VMX_ERROR_VMXON_IN_ROOT_OPERATION) {
        vmx_attempt_describe(second, "a second VMXON", detail);
        return false;
    }
    text_append(detail, "confirmed: a second VMXON failed with error %u", second->error);
    return true;
}

static void append_exits(const struct guest_trial *guest, struct text *detail)
{
    trial_exits_append(&guest->exits, "reason", detail);
    if (guest->exits.count > 0)
        text_append(detail, ", qualification 0x%lx", guest->exit_qualification);
}

/* Returns whether the guest could be entered; if not, appends why. */
static bool has_entered(const struct cpu_record *record, struct text *detail)
{
    const struct guest_trial *guest = &vmx_record(record)->steps.guest;
    uint32_t reason                 = guest_trial_last_reason(guest);

    if (has_succeeded(&guest->entry, guest->is_resumed ? "VMRESUME" : "VMLAUNCH",
                      detail)) {
        if ((reason & EXIT_REASON_ENTRY_FAILURE) == 0)
            return true;
        text_append(detail, "VM entry failed: %s, qualification 0x%lx",
                    exit_reason_name(EXIT_REASON_BASIC(reason)),
                    guest->exit_qualification);
    }
    entry_summary_append(&record->entry_violations, detail);
    return false;
}

static bool check_guest(const struct cpu_record *record, struct text *detail)
{
    const struct guest_trial *guest = &vmx_record(record)->steps.guest;

    if (!guest->is_prepared)
        return TEXT_FAIL(detail, "VMCS field rejected; see the log");
    if (!has_entered(record, detail))
        return false;
    if (guest->exits.count != 2 || guest->exits.number[0] != EXIT_REASON_CPUID ||
        guest->exits.number[1] != EXIT_REASON_HLT) {
        append_exits(guest, detail);
        return TEXT_FAIL(detail, "; expected 10 (CPUID), 12 (HLT)");
    }
    if (!guest->registers_survived)
        return TEXT_FAIL(detail, "RAX changed across VM entry and VM exit");
    text_append(detail, "exits 10 (CPUID) and 12 (HLT), %s EPT",
                guest->uses_ept ? "with" : "without");
    return true;
}

static bool check_vmxoff(const struct cpu_record *record, struct text *detail)
{
    const struct vmx_steps *steps = &vmx_record(record)->steps;

    if (!has_succeeded(&steps->last_vmclear, "VMCLEAR after the guest", detail) ||
        !has_succeeded(&steps->vmxoff, "VMXOFF", detail))
        return false;
    if (!steps->vmxe_cleared)
        return TEXT_FAIL(detail, "CR4.VMXE could not be cleared");
    if (steps->after_vmxoff.fault != (FAULT_RAISED | VECTOR_UD)) {
        vmx_attempt_describe(&steps->after_vmxoff, "VMPTRST after VMXOFF", detail);
        return false;
    }
    text_append(detail, "VMX left: VMPTRST raises #UD");
    return true;
}

/* ---- The meaning of a failed check */

static enum verdict_word word_of_feature_control(const struct cpu_record *record)
{
    static const enum verdict_word words[] = {
        [FEATURE_CONTROL_ENABLED]    = VERDICT_FAILED,
        [FEATURE_CONTROL_UNLOCKED]   = VERDICT_UNLOCKED,
        [FEATURE_CONTROL_LOCKED_OFF] = VERDICT_LOCKED_OFF,
        [FEATURE_CONTROL_TXT_ONLY]   = VERDICT_TXT_ONLY,
    };
    const struct msr_reading *found = &vmx_record(record)->feature_control;

    if (found->state != MSR_READ || feature_control_is_lock_needed(record))
        return VERDICT_FAILED;
    return words[feature_control_state(found->value)];
}

static bool is_basic_withheld(const struct cpu_record *record)
{
    return vmx_capability(capabilities_of(record), MSR_IA32_VMX_BASIC)->state != MSR_READ;
}

static bool is_feature_control_withheld(const struct cpu_record *record)
{
    return vmx_record(record)->feature_control.state != MSR_READ;
}

/* Appends the registers on which VMXON and all later steps depend. */
static void append_registers(const struct cpu_record *record, struct text *text)
{
    const struct vmx_record *own      = vmx_record(record);
    const struct msr_reading *control = own->steps.feature_control.is_tried
                                            ? &own->steps.feature_control.reading
                                            : &own->feature_control;
    text_append(text,
                " (CR0 = 0x%lx, CR4 = 0x%lx, IA32_FEATURE_CONTROL = 0x%lx, "
                "IA32_VMX_BASIC = 0x%lx)",
                vmx_operation_cr0(record), vmx_operation_cr4(record), control->value,
                vmx_capability_value(&own->capabilities, MSR_IA32_VMX_BASIC));
}

static const char *advise_about_cr4(const struct cpu_record *record)
{
    return (record->cr4 & CR4_VMXE) != 0 ? "power off fully and boot Hymir first" : NULL;
}

#define SDM_ENTERING     "SDM 3C, \"Enabling and Entering VMX Operation\""
#define SDM_INSTRUCTIONS "SDM 3C, \"VMX Instruction Reference\""
#define SDM_ERRORS       "SDM 3C, \"VM-Instruction Error Numbers\""

const struct check_row vmx_checks[VMX_CHECK_COUNT] = {
    [VMX_CHECK_CPUID] = {"VMX in CPUID", "SDM 3C, \"Discovering Support for VMX\"",
                         check_cpuid, .word = virtualization_word_if_not_offered},
    [VMX_CHECK_BASIC] = {"IA32_VMX_BASIC", "SDM 3D, \"Basic VMX Information\"",
                         check_basic, .is_withheld = is_basic_withheld},
    [VMX_CHECK_CR0]   = {"CR0 fixed bits", "SDM 3D, \"VMX-Fixed Bits in CR0\"", check_cr0,
                         .word = NULL},
    [VMX_CHECK_CR4]   = {"CR4 fixed bits", "SDM 3D, \"VMX-Fixed Bits in CR4\"", check_cr4,
                         .advice = advise_about_cr4},
    [VMX_CHECK_INTEL_PT] = {"Intel PT", "SDM 3D, \"Miscellaneous Data\"", check_intel_pt,
                            .word = NULL},
    [VMX_CHECK_FEATURE_CONTROL] = {"IA32_FEATURE_CONTROL", SDM_ENTERING,
                                   check_feature_control, vmx_trial_unlock,
                                   word_of_feature_control,
                                   .is_withheld = is_feature_control_withheld},
    [VMX_CHECK_VMXON]          = {"VMXON", SDM_INSTRUCTIONS, check_vmxon, vmx_trial_enter,
                                  .append_state = append_registers},
    [VMX_CHECK_ROOT_OPERATION] = {"VMX root operation", SDM_ERRORS, check_root_operation,
                                  vmx_trial_prove_root_operation,
                                  .append_state = append_registers},
    [VMX_CHECK_GUEST]  = {"VM entry, VM exit", "SDM 3C, \"VM Entries\", \"VM Exits\"",
                          check_guest, vmx_trial_run_guest,
                          .append_state = append_registers},
    [VMX_CHECK_VMXOFF] = {"VMXOFF", SDM_INSTRUCTIONS, check_vmxoff, vmx_trial_leave,
                          .append_state = append_registers},
};
