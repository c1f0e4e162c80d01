/* See check.h. */
#include "vmx/check.h"

#include "vmx/attempt.h"
#include "vmx/feature_control.h"
#include "vmx/fixed_bits.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"
#include "x86/exceptions.h"

/* Says so if one of the capability MSRs that a check needs could not be read. */
static bool has_capability(const struct vmx_record *record, enum vmx_msr msr,
                           const char *name, struct text *detail)
{
    const struct msr_reading *reading = vmx_capability(&record->before.capabilities, msr);
    if (reading->state == MSR_READ)
        return true;
    text_append(detail, "RDMSR of %s (0x%x) raised %s, though CPUID announces VMX", name,
                (unsigned int)msr, vmx_fault_name(reading->vector));
    return false;
}

static bool check_cpuid(const struct vmx_record *record, struct text *detail)
{
    uint32_t ecx = record->before.cpuid.leaf_1.ecx;
    bool has_vmx = (ecx & CPUID_1_ECX_VMX) != 0;

    text_append(detail, "CPUID.01H:ECX[5] = %d (ECX = 0x%08x)", has_vmx ? 1 : 0, ecx);
    return has_vmx;
}

static bool was_read_back(const struct vmx_record *record)
{
    return record->trial.feature_control.state == MSR_READ;
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

/*
 * The value that counts: the one read back if Hymir wrote the register, else the one
 * found.
 */
static bool check_feature_control(const struct vmx_record *record, struct text *detail)
{
    const struct msr_reading *found = &record->before.feature_control;
    const struct vmx_trial *trial   = &record->trial;

    if (found->state != MSR_READ) {
        text_append(detail, "RDMSR of IA32_FEATURE_CONTROL (0x3A) raised %s",
                    vmx_fault_name(found->vector));
        return false;
    }
    if (!trial->feature_control_written) {
        append_feature_control(detail, found->value);
        return feature_control_state(found->value) == FEATURE_CONTROL_ENABLED;
    }
    if (trial->feature_control_fault != FAULT_NONE) {
        text_append(detail, "0x%lx: unlocked, but WRMSR of 0x%lx raised %s", found->value,
                    feature_control_enabled_value(found->value),
                    vmx_fault_name(FAULT_VECTOR(trial->feature_control_fault)));
        return false;
    }
    if (!was_read_back(record) ||
        feature_control_state(trial->feature_control.value) != FEATURE_CONTROL_ENABLED) {
        text_append(detail, "0x%lx: unlocked, written 0x%lx, but reads 0x%lx",
                    found->value, feature_control_enabled_value(found->value),
                    trial->feature_control.value);
        return false;
    }
    text_append(detail, "0x%lx, unlocked; set to 0x%lx by Hymir", found->value,
                trial->feature_control.value);
    return true;
}

static bool check_basic(const struct vmx_record *record, struct text *detail)
{
    if (!has_capability(record, MSR_IA32_VMX_BASIC, "IA32_VMX_BASIC", detail))
        return false;
    uint64_t basic =
        vmx_capability_value(&record->before.capabilities, MSR_IA32_VMX_BASIC);
    uint32_t size = VMX_BASIC_REGION_SIZE(basic);
    uint32_t type = VMX_BASIC_MEMORY_TYPE(basic);

    text_append(detail, "0x%016lx: ", basic);
    if ((basic & VMX_BASIC_RESERVED_31) != 0) {
        text_append(detail, "bit 31 is set, which the SDM says is always 0");
        return false;
    }
    if (size == 0 || size > PAGE_SIZE) {
        text_append(detail, "a region of %u bytes, where the SDM allows 1 to 4096", size);
        return false;
    }
    if (type != VMX_MEMORY_TYPE_WRITE_BACK) {
        text_append(detail, "memory type %u, where Hymir knows write-back (6) only",
                    type);
        return false;
    }
    text_append(detail, "revision 0x%x, %u bytes%s", VMX_BASIC_REVISION(basic), size,
                (basic & VMX_BASIC_ADDRESSES_32_BIT) != 0 ? ", below 4 GiB" : "");
    return true;
}

static const char *const fixed_bits_reasons[] = {
    [FIXED_BITS_OK]            = "",
    [FIXED_BITS_CONTRADICTION] = "is demanded by FIXED0 and forbidden by FIXED1",
    [FIXED_BITS_UNKNOWN]       = "is demanded by FIXED0, and Hymir cannot set it",
    [FIXED_BITS_FORBIDDEN]     = "is forbidden by FIXED1, and Hymir needs it",
};

static bool check_fixed_bits(const struct fixed_bits *which, uint64_t value,
                             uint64_t fixed0, uint64_t fixed1, struct text *detail)
{
    struct fixed_bits_result result = fixed_bits_fit(which, value, fixed0, fixed1);

    if (result.outcome == FIXED_BITS_OK) {
        text_append(detail, "0x%lx within 0x%lx and 0x%lx", result.value, fixed0, fixed1);
        return true;
    }
    const char *name = capability_name(which->group, BIT(result.bit));
    text_append(detail, "%s bit %u (%s) %s (%s = 0x%lx, FIXED0 = 0x%lx, FIXED1 = 0x%lx)",
                which->name, result.bit, name == NULL ? "no known name" : name,
                fixed_bits_reasons[result.outcome], which->name, value, fixed0, fixed1);
    return false;
}

static bool check_cr0(const struct vmx_record *record, struct text *detail)
{
    const struct vmx_capabilities *capabilities = &record->before.capabilities;

    if (!has_capability(record, MSR_IA32_VMX_CR0_FIXED0, "IA32_VMX_CR0_FIXED0", detail) ||
        !has_capability(record, MSR_IA32_VMX_CR0_FIXED1, "IA32_VMX_CR0_FIXED1", detail))
        return false;
    return check_fixed_bits(&fixed_bits_cr0, record->before.cr0,
                            vmx_capability_value(capabilities, MSR_IA32_VMX_CR0_FIXED0),
                            vmx_capability_value(capabilities, MSR_IA32_VMX_CR0_FIXED1),
                            detail);
}

static bool check_cr4(const struct vmx_record *record, struct text *detail)
{
    const struct vmx_capabilities *capabilities = &record->before.capabilities;

    if ((record->before.cr4 & CR4_VMXE) != 0) {
        text_append(
            detail,
            "CR4.VMXE is set already (CR4 = 0x%lx), as where something that started "
            "before Hymir uses VMX",
            record->before.cr4);
        return false;
    }
    if (!has_capability(record, MSR_IA32_VMX_CR4_FIXED0, "IA32_VMX_CR4_FIXED0", detail) ||
        !has_capability(record, MSR_IA32_VMX_CR4_FIXED1, "IA32_VMX_CR4_FIXED1", detail))
        return false;
    return check_fixed_bits(&fixed_bits_cr4, record->before.cr4 | CR4_VMXE,
                            vmx_capability_value(capabilities, MSR_IA32_VMX_CR4_FIXED0),
                            vmx_capability_value(capabilities, MSR_IA32_VMX_CR4_FIXED1),
                            detail);
}

/* IA32_RTIT_CTL.TraceEn */
#define RTIT_CTL_TRACE_ENABLE BIT(0)

/*
 * Where IA32_VMX_MISC[14] is clear, VMXON clears TraceEn: it does not fault, and whoever
 * was tracing has lost the trace. So tracing is worth a word, and no reason to stop.
 */
static bool check_intel_pt(const struct vmx_record *record, struct text *detail)
{
    const struct msr_reading *control = &record->before.rtit_control;
    uint64_t misc = vmx_capability_value(&record->before.capabilities, MSR_IA32_VMX_MISC);

    if (control->state == MSR_NOT_READ) {
        text_append(detail, "the processor has none");
        return true;
    }
    if (control->state == MSR_FAULTED) {
        text_append(detail, "RDMSR of IA32_RTIT_CTL raised %s; taken for off",
                    vmx_fault_name(control->vector));
        return true;
    }
    if ((control->value & RTIT_CTL_TRACE_ENABLE) == 0) {
        text_append(detail, "off");
        return true;
    }
    text_append(detail, "tracing (IA32_RTIT_CTL = 0x%lx)", control->value);
    text_append(detail, (misc & VMX_MISC_INTEL_PT) != 0 ? ", allowed with VMX"
                                                        : "; VMXON ends the trace");
    return true;
}

static bool check_vmxon(const struct vmx_record *record, struct text *detail)
{
    if (record->trial.control_fault != FAULT_NONE) {
        text_append(detail, "MOV to CR0 or CR4, as the fixed bits have it, raised %s",
                    vmx_fault_name(FAULT_VECTOR(record->trial.control_fault)));
        return false;
    }
    vmx_attempt_describe(&record->trial.vmxon, "VMXON", detail);
    return vmx_attempt_succeeded(&record->trial.vmxon);
}

/*
 * Outside VMX operation VMPTRST is #UD; in it, with no current VMCS, it stores all ones.
 * And a second VMXON answers with an error number only in root operation.
 */
static bool check_root_operation(const struct vmx_record *record, struct text *detail)
{
    const struct vmx_trial *trial    = &record->trial;
    const struct vmx_attempt *second = &trial->second_vmxon;

    const struct {
        const char *instruction;
        const struct vmx_attempt *attempt;
    } attempts[] = {{"VMPTRST", &trial->vmptrst},
                    {"VMCLEAR", &trial->vmclear},
                    {"VMPTRLD", &trial->vmptrld}};
    for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
        if (!vmx_attempt_succeeded(attempts[i].attempt)) {
            vmx_attempt_describe(attempts[i].attempt, attempts[i].instruction, detail);
            return false;
        }
    }
    if (trial->vmptrst_pointer != UINT64_MAX) {
        text_append(detail, "VMPTRST stored 0x%lx, where no VMCS is current",
                    trial->vmptrst_pointer);
        return false;
    }
    if (!second->is_tried || second->fault != FAULT_NONE ||
        second->result != VMX_FAIL_VALID ||
        second->error != VMX_ERROR_VMXON_IN_ROOT_OPERATION) {
        vmx_attempt_describe(second, "a second VMXON", detail);
        return false;
    }
    text_append(detail, "proved: a second VMXON ends in error %u", second->error);
    return true;
}

static bool check_guest(const struct vmx_record *record, struct text *detail)
{
    const struct guest_trial *guest = &record->trial.guest;

    if (!guest->is_prepared) {
        text_append(detail, "the VMCS could not be filled in; the log names the field");
        return false;
    }
    if (!vmx_attempt_succeeded(&guest->entry)) {
        vmx_attempt_describe(&guest->entry, guest->is_resumed ? "VMRESUME" : "VMLAUNCH",
                             detail);
        return false;
    }
    if (guest->exits != 2 || guest->exit_reason[0] != EXIT_REASON_CPUID ||
        guest->exit_reason[1] != EXIT_REASON_HLT) {
        text_append(
            detail,
            "VM exits: %u, the first with reasons 0x%x and 0x%x, qualification 0x%lx, "
            "where 10 (CPUID) and 12 (HLT) are right",
            guest->exits, guest->exit_reason[0], guest->exit_reason[1],
            guest->exit_qualification);
        return false;
    }
    if (!guest->registers_survived) {
        text_append(detail, "a register did not survive VM entry and VM exit");
        return false;
    }
    text_append(detail, "exits 10 (CPUID) and 12 (HLT) seen, %s EPT",
                guest->uses_ept ? "under" : "without");
    return true;
}

static bool check_vmxoff(const struct vmx_record *record, struct text *detail)
{
    const struct vmx_trial *trial = &record->trial;

    if (!vmx_attempt_succeeded(&trial->last_vmclear)) {
        vmx_attempt_describe(&trial->last_vmclear, "VMCLEAR after the guest", detail);
        return false;
    }
    if (!vmx_attempt_succeeded(&trial->vmxoff)) {
        vmx_attempt_describe(&trial->vmxoff, "VMXOFF", detail);
        return false;
    }
    if (!trial->vmxe_cleared) {
        text_append(detail, "CR4.VMXE could not be cleared");
        return false;
    }
    if (trial->after_vmxoff.fault != (FAULT_RAISED | VECTOR_UD)) {
        vmx_attempt_describe(&trial->after_vmxoff, "VMPTRST after VMXOFF", detail);
        return false;
    }
    text_append(detail, "left: VMPTRST raises #UD again");
    return true;
}

static const struct check_row {
    const char *name;
    const char *source;
    bool (*passes)(const struct vmx_record *record, struct text *detail);
} rows[CHECK_COUNT] = {
    [CHECK_CPUID]           = {"VMX in CPUID", "SDM 3C, \"Discovering Support for VMX\"",
                               check_cpuid},
    [CHECK_FEATURE_CONTROL] = {"IA32_FEATURE_CONTROL",
                               "SDM 3C, \"Enabling and Entering VMX Operation\"",
                               check_feature_control},
    [CHECK_BASIC] = {"IA32_VMX_BASIC", "SDM 3D, \"Basic VMX Information\"", check_basic},
    [CHECK_CR0]   = {"CR0 fixed bits", "SDM 3D, \"VMX-Fixed Bits in CR0\"", check_cr0},
    [CHECK_CR4]   = {"CR4 fixed bits", "SDM 3D, \"VMX-Fixed Bits in CR4\"", check_cr4},
    [CHECK_INTEL_PT] = {"Intel PT", "SDM 3D, \"Miscellaneous Data\"", check_intel_pt},
    [CHECK_VMXON]    = {"VMXON", "SDM 3C, \"VMX Instruction Reference\"", check_vmxon},
    [CHECK_ROOT_OPERATION] = {"VMX root operation",
                              "SDM 3C, \"VM-Instruction Error Numbers\"",
                              check_root_operation},
    [CHECK_GUEST]          = {"VM entry, VM exit", "SDM 3C, \"VM Entries\", \"VM Exits\"",
                              check_guest},
    [CHECK_VMXOFF] = {"VMXOFF", "SDM 3C, \"VMX Instruction Reference\"", check_vmxoff},
};

const char *vmx_check_name(enum vmx_check check)
{
    return rows[check].name;
}

const char *vmx_check_source(enum vmx_check check)
{
    return rows[check].source;
}

bool vmx_check_passes(enum vmx_check check, const struct vmx_record *record,
                      struct text *detail)
{
    return rows[check].passes(record, detail);
}

/*
 * Judges the steps before the one given; the first that fails, with its detail, or that
 * one.
 */
static enum vmx_check first_failure_before(enum vmx_check end,
                                           const struct vmx_record *record,
                                           struct text *detail)
{
    for (enum vmx_check check = CHECK_CPUID; check < end; check++) {
        TEXT_DECLARE(own, 256);
        if (!vmx_check_passes(check, record, &own)) {
            text_append(detail, "%s", own.buffer);
            return check;
        }
    }
    return end;
}

enum vmx_check vmx_check_first_failure(const struct vmx_record *record,
                                       struct text *detail)
{
    return first_failure_before(CHECK_COUNT, record, detail);
}

bool vmx_check_wants_lock(const struct vmx_record *record)
{
    const struct msr_reading *found = &record->before.feature_control;
    return !record->nolock &&
           vmx_check_passes_all_before(CHECK_FEATURE_CONTROL, record) &&
           found->state == MSR_READ &&
           feature_control_state(found->value) == FEATURE_CONTROL_UNLOCKED;
}

bool vmx_check_passes_all_before(enum vmx_check end, const struct vmx_record *record)
{
    TEXT_DECLARE(detail, 256);
    return first_failure_before(end, record, &detail) == end;
}

static uint64_t fitted(const struct fixed_bits *which, uint64_t value,
                       const struct vmx_capabilities *capabilities, enum vmx_msr fixed0,
                       enum vmx_msr fixed1)
{
    return fixed_bits_fit(which, value, vmx_capability_value(capabilities, fixed0),
                          vmx_capability_value(capabilities, fixed1))
        .value;
}

uint64_t vmx_check_cr0(const struct vmx_record *record)
{
    return fitted(&fixed_bits_cr0, record->before.cr0, &record->before.capabilities,
                  MSR_IA32_VMX_CR0_FIXED0, MSR_IA32_VMX_CR0_FIXED1);
}

uint64_t vmx_check_cr4(const struct vmx_record *record)
{
    return fitted(&fixed_bits_cr4, record->before.cr4 | CR4_VMXE,
                  &record->before.capabilities, MSR_IA32_VMX_CR4_FIXED0,
                  MSR_IA32_VMX_CR4_FIXED1);
}
