/* See vcpu.h. */
#include "svm/vcpu.h"

#include "cpu/cpuid.h"
#include "cpu/guest_state.h"
#include "cpu/speculation.h"
#include "lib/string.h"
#include "lib/test_hooks.h"
#include "lib/ticks.h"
#include "platform/apic.h"
#include "svm/entry_report.h"
#include "svm/exit.h"
#include "svm/operation.h"
#include "svm/vcpu_events.h"
#include "virt/control_register_rules.h"
#include "virt/cpu_registers.h"
#include "x86/msr.h"
#include "x86/paging.h"

static void init(struct vcpu *vcpu, const struct vcpu_plan *plan)
{
    struct svm_vcpu *svm = svm_of(vcpu);

    svm->vcpu = vcpu;
    svm->plan = plan;
    svm_exit_rows_init(svm);
}

/*
 * Returns whether this CPU is QEMU's TCG and reserves CR4.OSXSAVE though CPUID reports
 * XSAVE: up to version 7.2 it does unless one of the features of leaf 0DH, subleaf 1,
 * exists. It must not be tried: outside a guest, TCG leaves one for a bad value of CR4.
 */
static bool reserves_osxsave(void)
{
    struct cpuid_snapshot snapshot;
    char signature[CPUID_VENDOR_SIZE];

    if (cpuid(CPUID_LEAF_EXTENDED_STATE, 1).eax != 0)
        return false; /* the snapshot takes long, and a guest's CPUID may wait for it */
    cpuid_snapshot_read(&snapshot);
    cpuid_hypervisor(&snapshot, signature);
    return strcmp(signature, "TCGTCGTCGTCG") == 0;
}

static bool has_xsave(void)
{
    return (cpuid(CPUID_LEAF_FEATURES, 0).ecx & CPUID_1_ECX_XSAVE) != 0 &&
           !reserves_osxsave();
}

/* Returns whether an MSR accepted its value; otherwise ends the vCPU. */
static bool check_write(struct vcpu *vcpu, const char *name,
                        const struct msr_write *write)
{
    if (msr_write_succeeded(write))
        return true;
    vcpu_end_abnormally(vcpu, "cpu %u: %s does not accept 0x%lx", vcpu->id, name,
                        write->written);
    return false;
}

static void run_with_svm(struct svm_vcpu *svm)
{
    struct vcpu *vcpu = svm->vcpu;
    struct msr_write area =
        msr_write_try(MSR_VM_HSAVE_PA, hpa_of(svm->host_save_area).value);

    if (!check_write(vcpu, "VM_HSAVE_PA", &area))
        return;
    svm_state_write(svm);
    svm_set_alarm(vcpu, TICKS_NEVER);
    vcpu->run.entry = guest_state_reset();
    if (test_hook_enter_guest != NULL)
        test_hook_enter_guest(vcpu);
    svm_entry_note(&svm->entry, &svm->vmcb);
    svm_run(&vcpu->run, &svm->vmcb, &svm->host_vmcb);
    (void)wrmsr_safe(MSR_VM_HSAVE_PA, 0);
}

static void run(struct vcpu *vcpu)
{
    struct msr_write permit = svm_operation_permit();
    struct msr_write efer   = svm_operation_enter();

    if (has_xsave()) /* enables XSETBV too */
        write_cr4(read_cr4() | CR4_OSXSAVE);
    if (!check_write(vcpu, "EFER", &efer)) {
        svm_operation_forbid(&permit);
        return;
    }
    run_with_svm(svm_of(vcpu));
    apic_set_timer(TICKS_NEVER);
    (void)svm_operation_leave(&permit);
}

/* The PDPTEs that CR3 points to: with nested paging they are not registers. */
static uint64_t read_pdpte(struct vcpu *vcpu, unsigned int number)
{
    gpa_t table             = gpa(svm_of(vcpu)->vmcb.cr3 & CR3_ADDRESS_PAE);
    const uint64_t *entries = vcpu->handlers->ram(vcpu, table, 4 * sizeof(*entries));

    return entries == NULL ? 0 : entries[number];
}

static uint64_t read_debugctl(const struct svm_vcpu *svm)
{
    return svm->has_lbr_virtualization ? svm->vmcb.debugctl : svm->debugctl;
}

static uint64_t read_register(struct vcpu *vcpu, enum vcpu_register which)
{
    const struct vmcb *vmcb = &svm_of(vcpu)->vmcb;

    switch (which) {
    case VCPU_RIP:
        return vmcb->rip;
    case VCPU_RSP:
        return vmcb->rsp;
    case VCPU_RFLAGS:
        return vmcb->rflags;
    case VCPU_CR0:
        return vmcb->cr0;
    case VCPU_CR2:
        return vmcb->cr2;
    case VCPU_CR3:
        return vmcb->cr3;
    case VCPU_CR4:
        return vmcb->cr4 & GUEST_CR4_ALLOWED;
    case VCPU_EFER:
        return vmcb->efer & ~EFER_SVME;
    case VCPU_TSC:
        return rdtsc() + vmcb->tsc_offset;
    case VCPU_TSC_OFFSET:
        return vmcb->tsc_offset;
    case VCPU_DEBUGCTL:
        return read_debugctl(svm_of(vcpu));
    case VCPU_CODE_SIZE:
        return guest_code_size(vmcb);
    case VCPU_CS_BASE:
        return vmcb->segment[SEGMENT_CS].base;
    case VCPU_CPL:
        return vmcb->cpl;
    case VCPU_PDPTE_0 ... VCPU_PDPTE_3:
        return read_pdpte(vcpu, which - VCPU_PDPTE_0);
    case VCPU_DR7:
        return vmcb->dr7;
    default:
        return cpu_register_read(which);
    }
}

static void write_register(struct vcpu *vcpu, enum vcpu_register which, uint64_t value)
{
    struct svm_vcpu *svm = svm_of(vcpu);

    if (which == VCPU_RSP) {
        svm->vmcb.rsp = value;
    } else if (which == VCPU_RFLAGS) {
        svm->vmcb.rflags = value;
    } else if (which == VCPU_CR2) {
        svm->vmcb.cr2 = value;
        vmcb_mark_dirty(&svm->vmcb, CLEAN_CR2);
    } else if (which == VCPU_TSC || which == VCPU_TSC_OFFSET) {
        svm->vmcb.tsc_offset = which == VCPU_TSC ? value - rdtsc() : value;
        vmcb_mark_dirty(&svm->vmcb, CLEAN_INTERCEPTS);
    } else if (which == VCPU_DEBUGCTL) {
        svm->debugctl      = value;
        svm->vmcb.debugctl = value;
        vmcb_mark_dirty(&svm->vmcb, CLEAN_LBR);
    } else if (which == VCPU_SPEC_CTRL) {
        speculation_write_spec_ctrl(value);
    } else if (which == VCPU_VIRT_SPEC_CTRL) {
        speculation_write_ssbd(value);
    }
}

/*
 * Hides XSAVE if it does not work on this CPU. Offers VIRT_SPEC_CTRL if it does, and what
 * the microcode does against speculation though CPUID does not report it.
 */
static struct cpuid_result read_cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_result result = cpuid(leaf, subleaf);

    if (leaf == CPUID_LEAF_FEATURES && !has_xsave())
        result.ecx &= ~(uint32_t)CPUID_1_ECX_XSAVE;
    if (leaf == CPUID_LEAF_EXTENDED_FEATURES_2)
        result.eax |= speculation_guest_features();
    if (leaf == CPUID_LEAF_ADDRESS_SIZES) {
        result.ebx &= ~(uint32_t)CPUID_80000008_EBX_VIRT_SSBD;
        if (speculation_has_ssbd())
            result.ebx |= (uint32_t)CPUID_80000008_EBX_VIRT_SSBD;
    }
    return result;
}

const struct backend svm_backend = {
    .nested_format     = &svm_nested_format,
    .state_size        = sizeof(struct svm_vcpu),
    .init              = init,
    .run               = run,
    .restart           = svm_restart,
    .read_register     = read_register,
    .write_register    = write_register,
    .read_segment      = svm_segment_read,
    .inject_exception  = svm_exception_inject,
    .add_debug_causes  = svm_debug_causes_add,
    .request_interrupt = svm_request_interrupt,
    .request_nmi       = svm_request_nmi,
    .set_alarm         = svm_set_alarm,
    .exit_name         = svm_exit_name,
    .describe_exit     = svm_exit_describe,
    .read_cpuid        = read_cpuid,
    .read_capabilities = speculation_capabilities,
    .cpuid             = &svm_guest_cpuid,
    .msrs              = &svm_guest_msrs,
};
