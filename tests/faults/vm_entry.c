/*
 * selftest=entry-... and exit: failing VM entries of the first guest, one for each cause,
 * and a VM exit whose handler faults. SDM 3C, "Checks on VMX Controls and Host-State
 * Area", "Checks on the Guest State Area", "Loading MSRs", "VM-Instruction Error
 * Numbers".
 */
#include "selftest.h"

#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/test_hooks.h"
#include "mm/memory.h"
#include "vmx/entry.h"
#include "vmx/operation.h"
#include "vmx/vcpu.h"
#include "vmx/vmcs.h"
#include "x86/msr.h"

/* From boot/hymir.ld. */
extern uint8_t image_start[];

/* An MSR-load list with an MSR that VM entry must not load. */
static const struct __attribute__((aligned(16))) {
    uint32_t msr, reserved;
    uint64_t value;
} bad_msr_list[] = {{.msr = MSR_IA32_FS_BASE}};

static bool is_first_guest(const struct vcpu *vcpu)
{
    return vcpu->vpid == 1;
}

void test_hook_prepare_vmcs(struct vcpu *vcpu)
{
    uint32_t *revision = (uint32_t *)(void *)vmx_of(vcpu)->vmcs;

    if (selftest.kind == SELFTEST_ENTRY_REVISION && is_first_guest(vcpu))
        vmx_write_revision(revision, *revision + 1);
}

static void spoil_field(enum vmcs_field field, uint64_t value)
{
    if (!vmcs_write(field, value))
        log_error("selftest: VMCS field 0x%x cannot be written", (unsigned int)field);
}

static void load_bad_msr(void)
{
    uint64_t offset = (uintptr_t)bad_msr_list - (uintptr_t)image_start;

    spoil_field(VMCS_ENTRY_MSR_LOAD_ADDRESS, memory_get_image().start + offset);
    spoil_field(VMCS_ENTRY_MSR_LOAD_COUNT, ARRAY_SIZE(bad_msr_list));
}

static enum exit_outcome execute_undefined(struct vcpu *vcpu)
{
    (void)vcpu;
    undefined_instruction();
    return EXIT_NEXT;
}

static void break_hypercall(struct vcpu *vcpu)
{
    for (size_t i = 0; i < vcpu->row_count; i++) {
        if (vcpu->row[i].handler == vcpu->handlers->hypercall)
            vcpu->row[i].handler = execute_undefined;
    }
}

static enum run_next stop_at_first_exit(struct vcpu_run *run)
{
    (void)run;
    return RUN_STOP;
}

/* Launches the VMCS, so that the next VMLAUNCH is its second. */
static void launch_early(struct vcpu_run *run)
{
    enum run_next (*on_exit)(struct vcpu_run * run) = run->on_exit;

    run->on_exit = stop_at_first_exit;
    if (vmx_run(run) != VMX_SUCCEED)
        log_error("selftest: the first VMLAUNCH failed");
    run->on_exit     = on_exit;
    run->is_launched = false;
}

void test_hook_enter_guest(struct vcpu *vcpu)
{
    if (!is_first_guest(vcpu))
        return;
    switch (selftest.kind) {
    case SELFTEST_ENTRY_CONTROL:
        spoil_field(VMCS_CR3_TARGET_COUNT, UINT32_MAX);
        break;
    case SELFTEST_ENTRY_HOST:
        spoil_field(VMCS_HOST_CS_SELECTOR, SELECTOR_NULL);
        break;
    case SELFTEST_ENTRY_GUEST:
        spoil_field(VMCS_GUEST_RFLAGS, 0); /* bit 1 must be 1 */
        break;
    case SELFTEST_ENTRY_MSR_LOAD:
        load_bad_msr();
        break;
    case SELFTEST_ENTRY_LAUNCH_TWICE:
        launch_early(&vcpu->run);
        break;
    case SELFTEST_ENTRY_RESUME_FIRST:
        vcpu->run.is_launched = true;
        break;
    case SELFTEST_EXIT:
        break_hypercall(vcpu);
        break;
    default: /* not a fault of a VM entry */
        break;
    }
}
