/* See vcpu.h. */
#include "vmx/vcpu.h"

#include "cpu/cpuid.h"
#include "cpu/guest_state.h"
#include "cpu/speculation.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "virt/control_register_rules.h"
#include "virt/cpu_registers.h"
#include "vmx/control_registers.h"
#include "vmx/ept.h"
#include "vmx/exit.h"
#include "vmx/fixed_bits.h"
#include "vmx/guest_policy.h"
#include "vmx/instructions.h"
#include "vmx/operation.h"
#include "vmx/vcpu_events.h"
#include "x86/msr.h"

static void init(struct vcpu *vcpu, const struct vcpu_plan *plan)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);

    vmx->vcpu = vcpu;
    vmx->plan = plan;
    exit_rows_init(vmx);
}

/* Sets CR0 and CR4 of this CPU for VMX operation, and enables XSETBV if supported. */
static bool allow_vmx(const struct vmx_vcpu *vmx)
{
    const struct vmx_capabilities *capabilities = &vmx->capabilities;
    bool has_xsave = (cpuid(CPUID_LEAF_FEATURES, 0).ecx & CPUID_1_ECX_XSAVE) != 0;
    uint64_t cr4   = read_cr4() | CR4_VMXE | (has_xsave ? CR4_OSXSAVE : 0);

    struct fixed_bits_result cr0_fit =
        fixed_bits_fit_processor(&fixed_bits_cr0, read_cr0(), capabilities);
    struct fixed_bits_result cr4_fit =
        fixed_bits_fit_processor(&fixed_bits_cr4, cr4, capabilities);
    return cr0_fit.outcome == FIXED_BITS_OK && cr4_fit.outcome == FIXED_BITS_OK &&
           vmx_operation_allow(cr0_fit.value, cr4_fit.value) == FAULT_NONE;
}

/* Returns whether an instruction succeeded; otherwise ends the vCPU. */
static bool check_attempt(struct vcpu *vcpu, const char *instruction,
                          struct vmx_attempt attempt)
{
    TEXT_DECLARE(description, GUEST_END_SIZE);

    if (vmx_attempt_succeeded(&attempt))
        return true;
    vmx_attempt_describe(&attempt, instruction, &description);
    vcpu_end_abnormally(vcpu, "cpu %u: %s", vcpu->id, description.buffer);
    return false;
}

/* Makes the VMCS current; on failure ends the vCPU. */
static bool load_vmcs(struct vmx_vcpu *vmx, hpa_t vmcs)
{
    struct vcpu *vcpu = vmx->vcpu;

    if (check_attempt(vcpu, "VMCLEAR", vmx_attempt_of(FAULT_NONE, vmclear(vmcs))) &&
        check_attempt(vcpu, "VMPTRLD", vmx_attempt_of(FAULT_NONE, vmptrld(vmcs))))
        return true;
    log_error("%s; the VMCS at 0x%lx has revision 0x%x", vcpu->end->text, vmcs.value,
              *(const uint32_t *)vmx->vmcs);
    return false;
}

/* Runs the guest, in VMX root operation. */
static void run_in_root_operation(struct vmx_vcpu *vmx, uint32_t revision)
{
    hpa_t vmcs = hpa_of(vmx->vmcs);

    apic_virtualization_start(vmx);
    vmx_write_revision(vmx->vmcs, revision);
    ept_invalidate_translations(&vmx->capabilities);
    if (test_hook_prepare_vmcs != NULL)
        test_hook_prepare_vmcs(vmx->vcpu);
    if (!load_vmcs(vmx, vmcs))
        return;
    if (!vcpu_state_write(vmx)) {
        vcpu_end_abnormally(vmx->vcpu, "VMCS: field rejected; see the log");
    } else {
        struct entry_attempt attempt = vcpu_entry_attempt(vmx);

        vmx->vcpu->run.entry     = guest_state_reset();
        vmx->vcpu->run.spec_ctrl = 0;
        vmx->vcpu->run.on_exit =
            vmx->vcpu->run.entry == 0 ? vcpu_on_exit_unprotected : vcpu_on_exit;
        entry_check_before(&attempt);
        if (test_hook_enter_guest != NULL)
            test_hook_enter_guest(vmx->vcpu);
        enum vmx_result result = vmx_run(&vmx->vcpu->run);
        if (result != VMX_SUCCEED)
            entry_failure_report(vmx->vcpu, result);
    }
    (void)!vmclear(vmcs);
}

static void run(struct vcpu *vcpu)
{
    struct vmx_vcpu *vmx = vmx_of(vcpu);
    TEXT_DECLARE(missing, GUEST_END_SIZE);

    vmx_capabilities_read(&vmx->capabilities);
    if (vcpu_controls_fit(&vmx->capabilities, &vmx->controls, &missing) != STATUS_OK) {
        vcpu_end_abnormally(vcpu, "cpu %u lacks %s", vcpu->id, missing.buffer);
        return;
    }
    uint64_t basic = vmx_capability_value(&vmx->capabilities, MSR_IA32_VMX_BASIC);
    if (!allow_vmx(vmx)) {
        vcpu_end_abnormally(vcpu, "cpu %u: CR0 or CR4 cannot be set for VMX", vcpu->id);
        return;
    }
    struct vmx_attempt vmxon =
        vmx_operation_enter(vmx->vmxon_region, VMX_BASIC_REVISION(basic));
    if (!check_attempt(vcpu, "VMXON", vmxon))
        return;
    run_in_root_operation(vmx, VMX_BASIC_REVISION(basic));
    struct vmx_attempt vmxoff = vmx_operation_leave();
    if (!vmx_attempt_succeeded(&vmxoff))
        log_error("cpu %u: VMXOFF failed", vcpu->id);
}

static uint64_t read_register(struct vcpu *vcpu, enum vcpu_register which)
{
    (void)vcpu;
    /* First, for CPUID leaf 1. Bits that a guest may not set are 0 in the read shadow. */
    if (which == VCPU_CR4)
        return vmread_known(VMCS_GUEST_CR4) & GUEST_CR4_ALLOWED;
    switch (which) {
    case VCPU_RIP:
        return vmcs_get(VMCS_GUEST_RIP);
    case VCPU_RSP:
        return vmcs_get(VMCS_GUEST_RSP);
    case VCPU_RFLAGS:
        return vmcs_get(VMCS_GUEST_RFLAGS);
    case VCPU_CR0:
        return guest_cr0_read();
    case VCPU_CR2:
        return read_cr2();
    case VCPU_CR3:
        return vmcs_get(VMCS_GUEST_CR3);
    case VCPU_EFER:
        return vmcs_get(VMCS_GUEST_IA32_EFER);
    case VCPU_TSC:
        return rdtsc() + vmcs_get(VMCS_TSC_OFFSET);
    case VCPU_TSC_OFFSET:
        return vmcs_get(VMCS_TSC_OFFSET);
    case VCPU_DEBUGCTL:
        return vmcs_get(VMCS_GUEST_IA32_DEBUGCTL);
    case VCPU_CODE_SIZE:
        return guest_code_size();
    case VCPU_CS_BASE:
        return vmcs_get(VMCS_GUEST_CS_BASE);
    case VCPU_CPL: /* the DPL of SS: SDM 3C, "Guest Register State" */
        return BITS_GET(vmcs_get(VMCS_GUEST_SS_ACCESS_RIGHTS), 6, 5);
    case VCPU_PDPTE_0 ... VCPU_PDPTE_3:
        return vmcs_get(VMCS_GUEST_PDPTE0 + 2 * (uint32_t)(which - VCPU_PDPTE_0));
    case VCPU_DR7:
        return vmcs_get(VMCS_GUEST_DR7);
    default:
        return cpu_register_read(which);
    }
}

static void write_spec_ctrl(struct vcpu *vcpu, uint64_t value)
{
    speculation_write_spec_ctrl(value);
    vcpu->run.spec_ctrl = (uint32_t)speculation_read_spec_ctrl();
}

static void write_register(struct vcpu *vcpu, enum vcpu_register which, uint64_t value)
{
    if (which == VCPU_RSP)
        vmcs_set(VMCS_GUEST_RSP, value);
    else if (which == VCPU_RFLAGS)
        vmcs_set(VMCS_GUEST_RFLAGS, value);
    else if (which == VCPU_CR2)
        write_cr2(value);
    else if (which == VCPU_TSC)
        vmcs_set(VMCS_TSC_OFFSET, value - rdtsc());
    else if (which == VCPU_TSC_OFFSET)
        vmcs_set(VMCS_TSC_OFFSET, value);
    else if (which == VCPU_DEBUGCTL)
        vmcs_set(VMCS_GUEST_IA32_DEBUGCTL, value);
    else if (which == VCPU_SPEC_CTRL)
        write_spec_ctrl(vcpu, value);
}

static void read_segment(struct vcpu *vcpu, enum segment_number number,
                         struct vcpu_segment *segment)
{
    uint32_t field = 2 * (uint32_t)number;

    (void)vcpu;
    *segment = (struct vcpu_segment){
        .selector      = (uint16_t)vmcs_get(VMCS_GUEST_ES_SELECTOR + field),
        .limit         = (uint32_t)vmcs_get(VMCS_GUEST_ES_LIMIT + field),
        .access_rights = (uint32_t)vmcs_get(VMCS_GUEST_ES_ACCESS_RIGHTS + field),
        .base          = vmcs_get(VMCS_GUEST_ES_BASE + field),
    };
}

/* Hides instructions that a guest can execute only with a control that this CPU lacks. */
static struct cpuid_result read_cpuid(uint32_t leaf, uint32_t subleaf)
{
    static const struct {
        uint64_t control;
        uint32_t leaf, ebx, ecx, edx; /* subleaf 0 */
    } rows[] = {
        {SECONDARY_ENABLE_INVPCID, CPUID_LEAF_STRUCTURED_FEATURES,
         .ebx = CPUID_7_EBX_INVPCID},
        {SECONDARY_ENABLE_RDTSCP, CPUID_LEAF_STRUCTURED_FEATURES,
         .ecx = CPUID_7_ECX_RDPID},
        {SECONDARY_ENABLE_USER_WAIT_PAUSE, CPUID_LEAF_STRUCTURED_FEATURES,
         .ecx = CPUID_7_ECX_WAITPKG},
        {SECONDARY_ENABLE_RDTSCP, CPUID_LEAF_EXTENDED_FEATURES,
         .edx = CPUID_80000001_EDX_RDTSCP},
    };
    struct cpuid_result result = cpuid(leaf, subleaf);
    uint64_t secondary         = rdmsr(MSR_IA32_VMX_PROCBASED_CTLS2) >> 32;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].leaf == leaf && subleaf == 0 && (secondary & rows[i].control) == 0) {
            result.ebx &= ~rows[i].ebx;
            result.ecx &= ~rows[i].ecx;
            result.edx &= ~rows[i].edx;
        }
    }
    return result;
}

static void invalidate_memory(struct vcpu *vcpu)
{
    (void)ept_invalidate(&vmx_of(vcpu)->capabilities);
}

const struct backend vmx_backend = {
    .nested_format     = &ept_format,
    .state_size        = sizeof(struct vmx_vcpu),
    .init              = init,
    .run               = run,
    .restart           = vcpu_restart,
    .read_register     = read_register,
    .write_register    = write_register,
    .read_segment      = read_segment,
    .inject_exception  = exception_inject,
    .add_debug_causes  = debug_causes_add,
    .request_interrupt = vcpu_request_interrupt,
    .request_nmi       = vcpu_request_nmi,
    .set_alarm         = vcpu_set_alarm,
    .update_apic       = vcpu_update_apic,
    .invalidate_memory = invalidate_memory,
    .exit_name         = exit_reason_name,
    .describe_exit     = exit_describe,
    .read_cpuid        = read_cpuid,
    .read_capabilities = speculation_capabilities,
    .cpuid             = &vmx_guest_cpuid,
    .msrs              = &vmx_guest_msrs,
};
