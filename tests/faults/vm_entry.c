/*
 * selftest=entry-...: failing VM entries of the first guest, one for each cause; AMD-V's
 * are in vmrun.c. exit: a VM exit whose handler faults. lost-interrupts: exits because of
 * interrupts that Hymir does not see. measures: VM entries and exits with measures that
 * the processor does not need. SDM 3C, "Checks on VMX Controls and Host-State
 * Area", "Checks on the Guest State Area", "Loading MSRs", "VM-Instruction Error
 * Numbers".
 */
#include "selftest.h"

#include "cpu/percpu.h"
#include "cpu/traps.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/test_hooks.h"
#include "platform/machine.h"
#include "vmx/instructions.h"
#include "vmx/operation.h"
#include "vmx/vcpu.h"
#include "vmx/vmcs.h"
#include "x86/control_registers.h"
#include "x86/msr.h"

/* An MSR-load list with an MSR that VM entry must not load. */
struct msr_load_entry {
    uint32_t msr, reserved;
    uint64_t value;
};

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
    void *page;
    struct msr_load_entry *list;

    if (machine_allocate(PAGE_SIZE, &page) != STATUS_OK)
        return;
    list      = page;
    list->msr = MSR_IA32_FS_BASE;
    spoil_field(VMCS_ENTRY_MSR_LOAD_ADDRESS, hpa_of(page).value);
    spoil_field(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
}

static enum exit_outcome execute_undefined(struct vcpu *vcpu)
{
    (void)vcpu;
    undefined_instruction();
    return EXIT_NEXT;
}

static exit_handler *replaced_handler;

/* Takes two of three interrupts without handling them: they are lost. */
static enum exit_outcome lose_interrupts(struct vcpu *vcpu)
{
    static unsigned int count;

    if (++count % 3 == 0)
        return replaced_handler(vcpu);
    interrupts_handle_pending();
    return EXIT_RESUME;
}

/* Replaces the handler of the exits that have a name. Returns the replaced one. */
static exit_handler *replace_handler(struct vcpu *vcpu, const char *name,
                                     exit_handler *handler)
{
    for (uint32_t i = 0; i < vcpu->row_count; i++) {
        exit_handler *replaced = vcpu->row[i].handler;
        if (strcmp(vcpu->backend->exit_name(i), name) != 0)
            continue;
        vcpu->row[i].handler = handler;
        return replaced;
    }
    return NULL;
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

/* Logs IA32_SPEC_CTRL, which VM exits have set and VM entry clears. */
static enum exit_outcome log_spec_ctrl(struct vcpu *vcpu)
{
    log_info("selftest: IA32_SPEC_CTRL is 0x%lx after a VM exit",
             rdmsr(MSR_IA32_SPEC_CTRL));
    (void)replace_handler(vcpu, "VMCALL", replaced_handler);
    return replaced_handler(vcpu);
}

/* In the set of selftest=measures, besides enum entry_measure. */
#define SET_ALIGNED_RETURNS BIT(ENTRY_MEASURES)
#define SET_SHADOW_STACKS   BIT(ENTRY_MEASURES + 1)

void test_hook_choose_returns(bool *are_aligned, bool *has_shadow_stacks)
{
    if (selftest.kind != SELFTEST_MEASURES)
        return;
    *are_aligned |= (selftest.cpu & SET_ALIGNED_RETURNS) != 0;
    *has_shadow_stacks |= (selftest.cpu & SET_SHADOW_STACKS) != 0;
}

static void force_measures(struct vcpu *vcpu)
{
    vcpu->run.entry |= (uint8_t)BITS_GET(selftest.cpu, ENTRY_MEASURES - 1, 0);
    if (vcpu->run.entry != 0 && vcpu->backend == &vmx_backend)
        vcpu->run.on_exit = vcpu_on_exit;
    if ((selftest.cpu & BIT(ENTRY_IBRS)) == 0)
        return;
    wrmsr(MSR_IA32_SPEC_CTRL, 0);
    replaced_handler = replace_handler(vcpu, "VMCALL", log_spec_ctrl);
}

static void spoil_vmcs(struct vcpu *vcpu)
{
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
    default: /* not a fault of a VM entry */
        break;
    }
}

/* Violates two rules: 64-bit mode without PAE, and RFLAGS.1. */
void test_hook_enter_trial_guest(const struct entry_attempt *attempt)
{
    if (selftest.kind == SELFTEST_ENTRIES && this_cpu()->index == selftest.cpu) {
        selftest_try_entries(attempt);
    } else if (selftest.kind == SELFTEST_TRIAL_ENTRY) {
        spoil_field(VMCS_GUEST_CR4, read_cr4() & ~(uint64_t)CR4_PAE);
        spoil_field(VMCS_GUEST_RFLAGS, 0);
    }
}

void test_hook_enter_guest(struct vcpu *vcpu)
{
    bool is_vt_x = vcpu->backend == &vmx_backend;

    if (!is_first_guest(vcpu))
        return;
    if (selftest.kind == SELFTEST_EXIT)
        (void)replace_handler(vcpu, is_vt_x ? "VMCALL" : "VMMCALL", execute_undefined);
    else if (selftest.kind == SELFTEST_LOST_INTERRUPTS)
        replaced_handler = replace_handler(vcpu, "external interrupt", lose_interrupts);
    else if (selftest.kind == SELFTEST_MEASURES)
        force_measures(vcpu);
    else if (is_vt_x)
        spoil_vmcs(vcpu);
    else
        selftest_spoil_vmcb(vcpu);
}
