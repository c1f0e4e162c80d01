/*
 * See vcpu.h: VM entries that are made to fail, one for each way in which they can.
 *
 * SDM 3C, "Checks on VMX Controls and Host-State Area", "Checks on the Guest State Area",
 * "Loading MSRs", "VM-Instruction Error Numbers".
 */
#include "cpu/percpu.h"
#include "vmx/entry.h"
#include "vmx/on_exit.h"
#include "vmx/operation.h"
#include "vmx/vcpu.h"
#include "x86/msr.h"

void vcpu_faults_spoil_region(struct vmx_vcpu *vcpu, uint32_t revision)
{
    if (vcpu->plan->fault == ENTRY_WRONG_REVISION)
        vmx_write_revision(vcpu->vmcs, revision + 1);
}

/* A list of one MSR that no VM entry may load. */
static enum status load_bad_msr(struct vmx_vcpu *vcpu)
{
    const struct vmcs_row rows[] = {
        {VMCS_ENTRY_MSR_LOAD_ADDRESS, hpa_of(&vcpu->bad_msr).value},
        {VMCS_ENTRY_MSR_LOAD_COUNT, 1},
    };
    vcpu->bad_msr.msr = MSR_IA32_FS_BASE;
    return vmcs_write_rows(rows, ARRAY_SIZE(rows));
}

/* An answer that Hymir does not survive. */
static enum exit_outcome break_down(struct vcpu *vcpu)
{
    (void)vcpu;
    undefined_instruction();
    return EXIT_NEXT;
}

enum status vcpu_faults_spoil_fields(struct vmx_vcpu *vcpu)
{
    switch (vcpu->plan->fault) {
    case ENTRY_BAD_CONTROL:
        return vmcs_write(VMCS_CR3_TARGET_COUNT, UINT32_MAX);
    case ENTRY_BAD_HOST_STATE:
        return vmcs_write(VMCS_HOST_CS_SELECTOR, SELECTOR_NULL);
    case ENTRY_BAD_GUEST_STATE:
        return vmcs_write(VMCS_GUEST_RFLAGS, 0); /* bit 1 must be 1 */
    case ENTRY_BAD_MSR_LOAD:
        return load_bad_msr(vcpu);
    case ENTRY_RESUMED_FIRST:
        vcpu->vcpu->run.is_launched = true;
        return STATUS_OK;
    case ENTRY_SOUND_EXIT_BROKEN:
        vcpu->vcpu->row[EXIT_REASON_VMCALL].handler = break_down;
        return STATUS_OK;
    case ENTRY_SOUND:
    case ENTRY_WRONG_REVISION:
    case ENTRY_LAUNCHED_TWICE:
        return STATUS_OK;
    }
    return STATUS_OK;
}

/* Ends the run at the first exit. */
static enum run_next stop_at_once(struct vcpu_run *run)
{
    (void)run;
    return RUN_STOP;
}

enum vmx_result vcpu_faults_run(struct vmx_vcpu *vcpu)
{
    struct vcpu_run *run = &vcpu->vcpu->run;

    if (vcpu->plan->fault == ENTRY_LAUNCHED_TWICE) {
        run->on_exit           = stop_at_once;
        enum vmx_result result = vmx_run(run);
        if (result != VMX_SUCCEED)
            return result;
        run->on_exit     = vcpu_on_exit;
        run->is_launched = false; /* it is, and so VMLAUNCH fails */
    }
    return vmx_run(run);
}
