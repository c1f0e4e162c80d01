/* See trial.h. */
#include "vmx/trial.h"

#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "vmx/attempt.h"
#include "vmx/check.h"
#include "vmx/feature_control.h"
#include "vmx/operation.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"

static uint32_t read_microcode_revision(void)
{
    uint64_t value;
    /* SDM 3A, "Determining the Signature": write 0, execute CPUID, read. */
    if (wrmsr_safe(MSR_IA32_BIOS_SIGN_ID, 0) != FAULT_NONE)
        return 0;
    (void)cpuid(1, 0);
    if (rdmsr_safe(MSR_IA32_BIOS_SIGN_ID, &value) != FAULT_NONE)
        return 0;
    return (uint32_t)(value >> 32);
}

/* What only Intel's processors have; others may have something else there. */
static bool is_from_intel(const struct cpuid_snapshot *cpuid)
{
    char vendor[CPUID_VENDOR_SIZE];
    cpuid_vendor(cpuid, vendor);
    return strcmp(vendor, "GenuineIntel") == 0 || strcmp(vendor, "GenuineIotel") == 0;
}

static void take_snapshot(struct vmx_snapshot *snapshot)
{
    cpuid_snapshot_read(&snapshot->cpuid);
    snapshot->cr0 = read_cr0();
    snapshot->cr4 = read_cr4();
    if (is_from_intel(&snapshot->cpuid)) {
        snapshot->microcode   = read_microcode_revision();
        snapshot->misc_enable = msr_read_safe(MSR_IA32_MISC_ENABLE);
    }
    if ((snapshot->cpuid.leaf_7.edx & CPUID_7_EDX_ARCH_CAPABILITIES) != 0)
        snapshot->arch_capabilities = msr_read_safe(MSR_IA32_ARCH_CAPABILITIES);
    if ((snapshot->cpuid.leaf_1.ecx & CPUID_1_ECX_VMX) == 0)
        return;
    snapshot->feature_control = msr_read_safe(MSR_IA32_FEATURE_CONTROL);
    vmx_capabilities_take(&snapshot->capabilities);
    if ((snapshot->cpuid.leaf_7.ebx & CPUID_7_EBX_INTEL_PT) != 0)
        snapshot->rtit_control = msr_read_safe(MSR_IA32_RTIT_CTL);
}

static void write_feature_control(struct vmx_record *record)
{
    uint64_t value = feature_control_enabled_value(record->before.feature_control.value);

    record->trial.feature_control_fault   = wrmsr_safe(MSR_IA32_FEATURE_CONTROL, value);
    record->trial.feature_control         = msr_read_safe(MSR_IA32_FEATURE_CONTROL);
    record->trial.feature_control_written = true;
}

/* Enters VMX operation with CR0 and CR4 that allow it; true if it did. */
static bool enter(struct trial_request *request)
{
    struct vmx_record *record = &request->record;
    uint64_t basic =
        vmx_capability_value(&record->before.capabilities, MSR_IA32_VMX_BASIC);

    record->trial.control_fault =
        vmx_operation_allow(vmx_check_cr0(record), vmx_check_cr4(record));
    if (record->trial.control_fault != FAULT_NONE)
        return false;
    record->trial.vmxon =
        vmx_operation_enter(request->vmxon_region, VMX_BASIC_REVISION(basic));
    return vmx_attempt_succeeded(&record->trial.vmxon);
}

/* What only works in VMX root operation, and answers as it does there. */
static void prove_root_operation(struct trial_request *request)
{
    struct vmx_trial *trial = &request->record.trial;
    hpa_t vmcs              = hpa_of(request->pages);
    uint64_t basic =
        vmx_capability_value(&request->record.before.capabilities, MSR_IA32_VMX_BASIC);

    trial->vmptrst = vmptrst_try(&trial->vmptrst_pointer);
    vmx_write_revision(request->pages, VMX_BASIC_REVISION(basic));
    trial->vmclear = vmx_attempt_done(vmclear(vmcs));
    if (!vmx_attempt_succeeded(&trial->vmclear))
        return;
    trial->vmptrld = vmx_attempt_done(vmptrld(vmcs));
    if (!vmx_attempt_succeeded(&trial->vmptrld))
        return;
    trial->second_vmxon = vmx_attempt_complete(vmxon_try(hpa_of(request->vmxon_region)));
}

static void leave(struct vmx_trial *trial)
{
    uint64_t pointer;

    trial->vmxoff       = vmx_operation_leave();
    trial->vmxe_cleared = (read_cr4() & CR4_VMXE) == 0;
    trial->after_vmxoff = vmptrst_try(&pointer);
}

/* Times the first CPU of each core type. */
static void measure(struct trial_request *request)
{
    struct vmx_record *record = &request->record;
    bool *is_measured = &request->is_measured[cpuid_core_type(&record->before.cpuid)];
    uint8_t *samples  = (uint8_t *)request->pages + (TRIAL_PAGES - 1) * PAGE_SIZE;

    if (*is_measured)
        return;
    *is_measured = true;
    trial_guest_measure(&record->before.capabilities, request->pages, samples,
                        &record->timings);
}

void trial_run(void *argument)
{
    struct trial_request *request = argument;
    struct vmx_record *record     = &request->record;

    take_snapshot(&record->before);
    if (vmx_check_wants_lock(record))
        write_feature_control(record);
    if (!vmx_check_passes_all_before(CHECK_VMXON, record) || !enter(request))
        return;
    prove_root_operation(request);
    if (vmx_check_passes_all_before(CHECK_GUEST, record)) {
        if (request->in_root_operation != NULL)
            request->in_root_operation();
        trial_guest_run(&record->before.capabilities,
                        (uint8_t *)request->pages + PAGE_SIZE, &record->trial.guest);
        if (vmx_check_passes_all_before(CHECK_VMXOFF,
                                        record)) /* CHECK_GUEST among them */
            measure(request);
    }
    if (record->trial.vmptrld.is_tried)
        record->trial.last_vmclear = vmx_attempt_done(vmclear(hpa_of(request->pages)));
    leave(&record->trial);
}

static void log_reading(const char *what, uint32_t msr, const struct msr_reading *reading)
{
    if (reading->state == MSR_READ)
        log_debug("%s: MSR 0x%x = 0x%016lx", what, msr, reading->value);
    else if (reading->state == MSR_FAULTED)
        log_debug("%s: MSR 0x%x faults, vector %u", what, msr, reading->vector);
}

static void log_leaf(const char *what, uint32_t leaf, const struct cpuid_result *result)
{
    log_debug("%s: CPUID 0x%x = %08x %08x %08x %08x", what, leaf, result->eax,
              result->ebx, result->ecx, result->edx);
}

static void log_snapshot(const char *what, const struct vmx_snapshot *snapshot)
{
    log_leaf(what, 0, &snapshot->cpuid.leaf_0);
    log_leaf(what, 1, &snapshot->cpuid.leaf_1);
    log_leaf(what, 7, &snapshot->cpuid.leaf_7);
    log_leaf(what, 0xD, &snapshot->cpuid.leaf_d_1);
    log_leaf(what, 0x1A, &snapshot->cpuid.leaf_1a);
    if (cpuid_has_hypervisor(&snapshot->cpuid))
        log_leaf(what, 0x40000000, &snapshot->cpuid.leaf_hypervisor);
    log_leaf(what, 0x80000001, &snapshot->cpuid.leaf_80000001);
    log_leaf(what, 0x80000008, &snapshot->cpuid.leaf_80000008);
    log_debug("%s: CR0 = 0x%lx, CR4 = 0x%lx, microcode 0x%x", what, snapshot->cr0,
              snapshot->cr4, snapshot->microcode);
    log_reading(what, MSR_IA32_FEATURE_CONTROL, &snapshot->feature_control);
    log_reading(what, MSR_IA32_MISC_ENABLE, &snapshot->misc_enable);
    log_reading(what, MSR_IA32_RTIT_CTL, &snapshot->rtit_control);
    log_reading(what, MSR_IA32_ARCH_CAPABILITIES, &snapshot->arch_capabilities);
    for (uint32_t i = 0; i < VMX_MSR_COUNT; i++)
        log_reading(what, VMX_MSR_FIRST + i, &snapshot->capabilities.msr[i]);
}

void trial_log(const struct vmx_record *record, uint32_t cpu)
{
    char what[16];

    format_text(what, sizeof(what), "cpu %u", cpu);
    log_snapshot(what, &record->before);
    for (enum vmx_check check = CHECK_CPUID; check < CHECK_COUNT; check++) {
        TEXT_DECLARE(detail, 160);
        bool passes = vmx_check_passes(check, record, &detail);
        log_debug("%s: %s: %s (%s)", what, vmx_check_name(check), detail.buffer,
                  vmx_check_source(check));
        if (!passes)
            return;
    }
}
