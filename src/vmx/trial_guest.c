/*
 * The guest of two instructions, CPUID and HLT, which tests the whole path: control
 * fields, VM entry, paging, EPT, and VM exit; see trial.h. Its page tables map the
 * trial's pages where they are, and so does EPT, if the processor has it.
 */
#include "vmx/trial.h"

#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/test_hooks.h"
#include "vmx/entry_report.h"
#include "vmx/ept.h"
#include "vmx/instructions.h"
#include "vmx/record.h"
#include "vmx/vmcs.h"
#include "vmx/vmcs_areas.h"

extern const uint8_t trial_guest_start[], trial_guest_vmcall[], trial_guest_end[];

#define GUEST_MARK UINT64_C(0x48796D6972204F4B)

static uint64_t map_pages(const struct trial *trial, enum vmx_trial_page page,
                          const struct nested_format *format)
{
    return hpa_of(trial_map_pages(trial, page, format).pages).value;
}

/* Fits the control fields; logs controls that the processor does not allow. */
static bool fit_controls(const struct vmx_capabilities *capabilities, bool uses_ept,
                         struct vcpu_controls *controls)
{
    const uint32_t wanted[] = {
        [GROUP_PIN_BASED] = PIN_BASED_NMI_EXITING,
        [GROUP_PRIMARY]   = PRIMARY_HLT_EXITING |
                          (uses_ept ? (uint32_t)PRIMARY_ACTIVATE_SECONDARY_CONTROLS : 0),
        [GROUP_SECONDARY] = uses_ept ? SECONDARY_ENABLE_EPT : 0,
        [GROUP_VM_EXIT]   = VM_EXIT_HOST_ADDRESS_SPACE_SIZE,
        [GROUP_VM_ENTRY]  = VM_ENTRY_IA32E_MODE_GUEST,
    };

    for (enum vmx_capability_group group = GROUP_PIN_BASED; group <= GROUP_VM_ENTRY;
         group++) {
        uint32_t missing =
            vmx_control_fit(capabilities, group, wanted[group], &controls->field[group]);
        if (missing != 0) {
            log_error("the processor lacks a %s: bits 0x%x",
                      vmx_capability_table.groups[group].singular, missing);
            return false;
        }
    }
    return true;
}

static bool write_controls(const struct vmx_capabilities *capabilities, bool uses_ept,
                           uint64_t ept_pointer)
{
    static const struct vmcs_row rows[] = {
        {VMCS_EXCEPTION_BITMAP, 0},
        {VMCS_CR0_GUEST_HOST_MASK, 0},
        {VMCS_CR4_GUEST_HOST_MASK, 0},
    };
    struct vcpu_controls controls;

    return fit_controls(capabilities, uses_ept, &controls) &&
           vmcs_write_controls(&controls) && vmcs_write_rows(rows, ARRAY_SIZE(rows)) &&
           (!uses_ept || vmcs_write(VMCS_EPT_POINTER, ept_pointer));
}

/* 64-bit mode at the start of the code page, interrupts off. */
static bool write_guest_state(const struct trial *trial)
{
    static const struct vcpu_segment code = {SELECTOR_CODE, UINT32_MAX,
                                             ACCESS_RIGHTS_CODE_64, 0};
    static const struct vcpu_segment task = {
        SELECTOR_TSS, sizeof(struct task_state_segment) - 1, ACCESS_RIGHTS_TSS_BUSY, 0};
    const struct guest_state state = {
        .cr0     = read_cr0(),
        .cr3     = map_pages(trial, TRIAL_PAGE_GUEST_TABLES, &trial_paging_format),
        .cr4     = read_cr4() & ~(uint64_t)CR4_CET, /* the shadow stack is Hymir's */
        .rip     = hpa_of(trial_page(trial, TRIAL_PAGE_CODE)).value,
        .segment = {[SEGMENT_CS] = &code, [SEGMENT_TR] = &task},
    };
    return vmcs_write_guest_state(&state);
}

/* Fills in the current VMCS and the pages. */
static bool prepare_guest(const struct trial *trial, bool uses_ept)
{
    const struct vmx_capabilities *capabilities =
        &vmx_record(&trial->record)->capabilities;
    uint64_t ept_pointer =
        map_pages(trial, TRIAL_PAGE_EPT, &ept_format) | EPTP_WRITE_BACK_4_LEVELS;

    memcpy(trial_page(trial, TRIAL_PAGE_CODE), trial_guest_start,
           (uintptr_t)trial_guest_end - (uintptr_t)trial_guest_start);
    /* The TLB may hold translations of earlier software for this EPT pointer. */
    return (!uses_ept || ept_invalidate(capabilities)) &&
           write_controls(capabilities, uses_ept, ept_pointer) &&
           vmcs_write_host_state() && write_guest_state(trial);
}

static bool advance_rip(void)
{
    uint64_t rip, length;
    return vmcs_read(VMCS_GUEST_RIP, &rip) &&
           vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH, &length) &&
           vmcs_write(VMCS_GUEST_RIP, rip + length);
}

/* A run of the guest, and its record. */
struct trial_run {
    struct vcpu_run run; /* first: on_exit gets its address */
    struct guest_trial *guest;
};

/* Records an exit. Returns whether the guest continues, with a mark in its RAX. */
static bool record_exit(struct trial_run *trial, uint32_t reason)
{
    struct guest_trial *guest = trial->guest;
    uint64_t *rax             = &trial->run.registers.r[REGISTER_RAX];

    guest->registers_survived = *rax == GUEST_MARK;
    if (!trial_exits_add(&guest->exits, reason) || reason != EXIT_REASON_CPUID)
        return false;
    *rax = GUEST_MARK;
    return advance_rip();
}

/* Lets the guest run until HLT or an unexpected exit. */
static enum run_next on_trial_exit(struct vcpu_run *run)
{
    struct trial_run *trial   = (struct trial_run *)run;
    struct guest_trial *guest = trial->guest;
    uint64_t reason;

    guest->is_resumed = true;
    if (!vmcs_read(VMCS_EXIT_REASON, &reason) ||
        !vmcs_read(VMCS_EXIT_QUALIFICATION, &guest->exit_qualification))
        return RUN_STOP;
    if (reason != EXIT_REASON_EXCEPTION_OR_NMI)
        return record_exit(trial, (uint32_t)reason) ? RUN_AGAIN : RUN_STOP;
    /* No exception of the guest exits, so this is an NMI of the host. */
    raise_nmi();
    return guest->exits.nmis++ < TRIAL_EXITS_MAX ? RUN_AGAIN : RUN_STOP;
}

/* Returns how the last entry failed; its reason is that of an exit if it did not. */
static struct vmx_entry_failure entry_failure(const struct guest_trial *guest)
{
    if (!vmx_attempt_succeeded(&guest->entry))
        return (struct vmx_entry_failure){.error = guest->entry.error};
    return (struct vmx_entry_failure){.reason = guest_trial_last_reason(guest)};
}

void vmx_trial_run_guest(struct trial *trial)
{
    struct vmx_record *own       = vmx_record_of(&trial->record);
    struct guest_trial *guest    = &own->steps.guest;
    struct trial_run run         = {.run = {.on_exit = on_trial_exit}, .guest = guest};
    struct entry_attempt attempt = {.capabilities = &own->capabilities,
                                    .snapshot = trial_page(trial, TRIAL_PAGE_SNAPSHOT)};

    guest->uses_ept    = vmx_has_ept(&own->capabilities);
    guest->is_prepared = prepare_guest(trial, guest->uses_ept);
    if (!guest->is_prepared)
        return;
    entry_check_before(&attempt);
    if (test_hook_enter_trial_guest != NULL)
        test_hook_enter_trial_guest(&attempt);
    guest->entry                     = vmx_attempt_of(FAULT_NONE, vmx_run(&run.run));
    struct vmx_entry_failure failure = entry_failure(guest);
    attempt.is_resume                = guest->is_resumed;
    if (vmx_entry_phases(&failure) != 0)
        entry_failure_explain(&attempt, &failure, &trial->record.entry_violations);
}

/* A run of the guest that exits repeatedly at one instruction. */
struct timed_run {
    struct vcpu_run run; /* first: on_exit gets its address */
    struct stopwatch *stopwatch;
    uint64_t reason; /* of the exits that are measured */
};

static enum run_next on_timed_exit(struct vcpu_run *run)
{
    uint64_t end                = rdtsc();
    struct timed_run *timed     = (struct timed_run *)run;
    struct stopwatch *stopwatch = timed->stopwatch;
    uint64_t reason;

    bool continues = false;

    if (!vmread(VMCS_EXIT_REASON, &reason))
        return RUN_STOP;
    if (reason == timed->reason) {
        continues = stopwatch_add_round(stopwatch, end);
    } else if (reason == EXIT_REASON_EXCEPTION_OR_NMI) {
        raise_nmi(); /* of the host, as the guest raises no exception; not a round */
        continues = end < stopwatch->until;
    }
    stopwatch->start = rdtsc();
    return continues ? RUN_AGAIN : RUN_STOP;
}

/* Leaves RIP at the instruction, so that the guest executes nothing else. */
static bool exit_repeatedly(const struct trial *trial, const uint8_t *instruction,
                            enum exit_reason reason, struct stopwatch *stopwatch)
{
    uint64_t code          = hpa_of(trial_page(trial, TRIAL_PAGE_CODE)).value;
    uint64_t offset        = (uintptr_t)instruction - (uintptr_t)trial_guest_start;
    struct timed_run timed = {
        .run       = {.on_exit = on_timed_exit, .is_launched = true},
        .stopwatch = stopwatch,
        .reason    = reason,
    };

    return vmcs_write(VMCS_GUEST_RIP, code + offset) &&
           vmx_run(&timed.run) == VMX_SUCCEED;
}

bool vmx_trial_exit_by_cpuid(struct trial *trial, struct stopwatch *stopwatch)
{
    return exit_repeatedly(trial, trial_guest_start, EXIT_REASON_CPUID, stopwatch);
}

bool vmx_trial_exit_by_vmcall(struct trial *trial, struct stopwatch *stopwatch)
{
    return exit_repeatedly(trial, trial_guest_vmcall, EXIT_REASON_VMCALL, stopwatch);
}
