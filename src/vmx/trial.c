/* See trial.h. */
#include "vmx/trial.h"

#include "lib/log.h"
#include "lib/string.h"
#include "vmx/feature_control.h"
#include "vmx/fixed_bits.h"
#include "vmx/operation.h"
#include "vmx/record.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"
#include "x86/cpuid.h"
#include "x86/msr.h"

static uint32_t revision_of(const struct trial *trial)
{
    return VMX_BASIC_REVISION(vmx_capability_value(
        &vmx_record(&trial->record)->capabilities, MSR_IA32_VMX_BASIC));
}

/* Writes 0, executes CPUID and reads: SDM 3A, "Determining the Signature". */
static uint32_t read_microcode_revision(void)
{
    if (wrmsr_safe(MSR_IA32_BIOS_SIGN_ID, 0) != FAULT_NONE)
        return 0;
    (void)cpuid(CPUID_LEAF_FEATURES, 0);
    return (uint32_t)(msr_read_safe(MSR_IA32_BIOS_SIGN_ID).value >> 32);
}

void vmx_trial_read_registers(struct cpu_record *record)
{
    struct vmx_record *own = vmx_record_of(record);

    if (cpuid_is_intel(&record->cpuid)) {
        record->microcode = read_microcode_revision();
        own->misc_enable  = msr_read_safe(MSR_IA32_MISC_ENABLE);
    }
    if ((record->cpuid.leaf_1.ecx & CPUID_1_ECX_VMX) == 0)
        return;
    own->feature_control = msr_read_safe(MSR_IA32_FEATURE_CONTROL);
    vmx_capabilities_read(&own->capabilities);
    if ((record->cpuid.leaf_7.ebx & CPUID_7_EBX_INTEL_PT) != 0)
        own->rtit_control = msr_read_safe(MSR_IA32_RTIT_CTL);
}

void vmx_trial_unlock(struct trial *trial)
{
    struct vmx_record *own = vmx_record_of(&trial->record);

    if (feature_control_is_lock_needed(&trial->record))
        own->steps.feature_control =
            msr_write_try(MSR_IA32_FEATURE_CONTROL,
                          feature_control_enabled_value(own->feature_control.value));
}

void vmx_trial_enter(struct trial *trial)
{
    struct vmx_steps *steps = &vmx_record_of(&trial->record)->steps;

    steps->control_fault = vmx_operation_allow(vmx_operation_cr0(&trial->record),
                                               vmx_operation_cr4(&trial->record));
    if (steps->control_fault == FAULT_NONE)
        steps->vmxon =
            vmx_operation_enter(trial_page(trial, TRIAL_PAGE_VMXON), revision_of(trial));
}

/* Clears the VMCS that no guest uses. If that fails, VMPTRLD is not measured. */
static void clear_other_vmcs(const struct trial *trial)
{
    if (vmclear(hpa_of(trial_page(trial, TRIAL_PAGE_OTHER_VMCS))) != VMX_SUCCEED)
        log_debug("apic %u: VMCLEAR of a second VMCS failed", trial->record.apic_id);
}

void vmx_trial_prove_root_operation(struct trial *trial)
{
    struct vmx_steps *steps = &vmx_record_of(&trial->record)->steps;
    void *vmcs              = trial_page(trial, TRIAL_PAGE_VMCS);

    steps->vmptrst = vmptrst_try(&steps->vmptrst_pointer);
    vmx_write_revision(vmcs, revision_of(trial));
    steps->vmclear = vmx_attempt_of(FAULT_NONE, vmclear(hpa_of(vmcs)));
    if (!vmx_attempt_succeeded(&steps->vmclear))
        return;
    steps->vmptrld = vmx_attempt_of(FAULT_NONE, vmptrld(hpa_of(vmcs)));
    if (!vmx_attempt_succeeded(&steps->vmptrld))
        return;
    vmx_write_revision(trial_page(trial, TRIAL_PAGE_OTHER_VMCS), revision_of(trial));
    clear_other_vmcs(trial);
    steps->second_vmxon = vmxon_try(hpa_of(trial_page(trial, TRIAL_PAGE_VMXON)));
}

void vmx_trial_leave(struct trial *trial)
{
    struct vmx_steps *steps = &vmx_record_of(&trial->record)->steps;
    uint64_t pointer;

    if (steps->vmptrld.is_tried) {
        clear_other_vmcs(trial);
        steps->last_vmclear = vmx_attempt_of(
            FAULT_NONE, vmclear(hpa_of(trial_page(trial, TRIAL_PAGE_VMCS))));
    }
    steps->vmxoff       = vmx_operation_leave();
    steps->vmxe_cleared = (read_cr4() & CR4_VMXE) == 0;
    steps->after_vmxoff = vmptrst_try(&pointer);
}

/* ---- Timings */

#define DEFINE_EXECUTE(function, expression)  \
    static bool function(struct trial *trial) \
    {                                         \
        uint64_t value;                       \
        (void)trial;                          \
        (void)value;                          \
        return (expression);                  \
    }
DEFINE_EXECUTE(execute_vmread, vmread(VMCS_GUEST_RIP, &value))
DEFINE_EXECUTE(execute_vmwrite, vmwrite(VMCS_GUEST_RIP, 0))
DEFINE_EXECUTE(execute_vmptrld,
               vmptrld(hpa_of(trial_page(trial, TRIAL_PAGE_OTHER_VMCS))) == VMX_SUCCEED &&
                   vmptrld(hpa_of(trial_page(trial, TRIAL_PAGE_VMCS))) == VMX_SUCCEED)
DEFINE_EXECUTE(execute_invept, invept_all() == VMX_SUCCEED)
DEFINE_EXECUTE(execute_invvpid, invvpid_all() == VMX_SUCCEED)

static bool has_invept(const struct cpu_record *record)
{
    return vmx_has_ept_capability(&vmx_record(record)->capabilities,
                                  INVEPT_OF_ALL_CONTEXTS);
}

static bool has_invvpid(const struct cpu_record *record)
{
    return vmx_has_ept_capability(&vmx_record(record)->capabilities,
                                  INVVPID_OF_ALL_CONTEXTS);
}

const struct timing_row vmx_timings[VMX_TIMINGS] = {
    {.name = "VM exit by CPUID", .run = vmx_trial_exit_by_cpuid},
    {.name = "VM exit by VMCALL", .run = vmx_trial_exit_by_vmcall},
    {.name = "VMREAD", .execute = execute_vmread},
    {.name = "VMWRITE", .execute = execute_vmwrite},
    {.name = "VMPTRLD", .execute = execute_vmptrld, .is_pair = true},
    {.name = "INVEPT", .exists = has_invept, .execute = execute_invept},
    {.name = "INVVPID", .exists = has_invvpid, .execute = execute_invvpid},
};
