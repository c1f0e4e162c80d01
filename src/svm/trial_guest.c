/*
 * The guests of the trial: CPUID and HLT, which test the path of VM entry and VM exit,
 * and a read through nested paging; see trial.h.
 *
 * The guest's page tables map the trial's pages where they are, and so do the nested
 * ones, except that those map the probe page to the target page. A processor that ignores
 * NP_ENABLE thus runs the second guest too, and reads the probe page.
 */
#include "cpu/percpu.h"
#include "lib/string.h"
#include "lib/test_hooks.h"
#include "svm/entry_report.h"
#include "svm/record.h"
#include "svm/trial.h"
#include "svm/vcpu.h"
#include "x86/msr.h"

extern const uint8_t svm_trial_guest_start[], svm_trial_guest_read[],
    svm_trial_guest_vmmcall[], svm_trial_guest_end[];

#define GUEST_ASID 1U
#define CPUID_SIZE 2U /* bytes of the instruction */

static uint64_t address_of(const struct trial *trial, enum svm_trial_page page)
{
    return hpa_of(trial_page(trial, page)).value;
}

/* Returns the linear address of an instruction of the guest. */
static uint64_t address_of_code(const struct trial *trial, const uint8_t *instruction)
{
    return address_of(trial, TRIAL_PAGE_CODE) +
           ((uintptr_t)instruction - (uintptr_t)svm_trial_guest_start);
}

/*
 * Fills the VMCB for a run in 64-bit mode from an instruction of the guest, interrupts
 * off: without V_INTR_MASKING the host takes its own only after the run. Returns it.
 */
static struct vmcb *prepare_guest(const struct trial *trial, const uint8_t *instruction)
{
    struct vmcb *vmcb = trial_page(trial, TRIAL_PAGE_GUEST_VMCB);
    struct page_pool tables =
        trial_map_pages(trial, TRIAL_PAGE_GUEST_TABLES, &trial_paging_format);
    const struct vcpu_start start = {
        .rip  = address_of_code(trial, instruction),
        .cr0  = read_cr0(),
        .cr3  = hpa_of(tables.pages).value,
        .cr4  = read_cr4(),
        .efer = rdmsr(MSR_IA32_EFER),
        .code = {SELECTOR_CODE, UINT32_MAX, ACCESS_RIGHTS_CODE_64, 0},
        .data = {SELECTOR_DATA, UINT32_MAX, ACCESS_RIGHTS_OF(DATA_DESCRIPTOR_32), 0},
    };

    memcpy(trial_page(trial, TRIAL_PAGE_CODE), svm_trial_guest_start,
           (uintptr_t)svm_trial_guest_end - (uintptr_t)svm_trial_guest_start);
    memset(vmcb, 0, sizeof(*vmcb));
    vmcb->intercept_1 =
        INTERCEPT_NMI | INTERCEPT_CPUID | INTERCEPT_HLT | (uint32_t)INTERCEPT_SHUTDOWN;
    vmcb->intercept_2          = INTERCEPT_VMRUN | INTERCEPT_VMMCALL;
    vmcb->intercept_exceptions = UINT32_MAX; /* of which the guest raises none */
    vmcb->asid                 = GUEST_ASID;
    vmcb->tlb_control          = TLB_CONTROL_FLUSH_ALL;
    svm_registers_write(vmcb, &start);
    return vmcb;
}

/* A run of a guest, and its record. */
struct trial_run {
    struct vcpu_run run; /* first: on_exit gets its address */
    struct vmcb *vmcb;
    struct guest_trial *guest;
};

/* Lets the guest run until an exit other than CPUID's and those of the host's NMIs. */
static enum run_next on_exit(struct vcpu_run *run)
{
    struct trial_run *trial   = (struct trial_run *)run;
    struct guest_trial *guest = trial->guest;
    struct vmcb *vmcb         = trial->vmcb;
    uint64_t *rax             = &run->registers.r[REGISTER_RAX];

    if (vmcb->exit_code == SVM_EXIT_NMI) /* handled when entry.asm set GIF */
        return guest->exits.nmis++ < TRIAL_EXITS_MAX ? RUN_AGAIN : RUN_STOP;
    guest->exit_info[0] = vmcb->exit_info_1;
    guest->exit_info[1] = vmcb->exit_info_2;
    guest->rax          = *rax;
    if (!trial_exits_add(&guest->exits, vmcb->exit_code) ||
        vmcb->exit_code != SVM_EXIT_CPUID)
        return RUN_STOP;
    *rax = TRIAL_MARK_GUEST;
    vmcb->rip += CPUID_SIZE;
    return RUN_AGAIN;
}

static void run_guest(struct trial *trial, struct vmcb *vmcb, struct guest_trial *guest)
{
    struct trial_run run = {.run = {.on_exit = on_exit}, .vmcb = vmcb, .guest = guest};
    struct entry_snapshot *snapshot = trial_page(trial, TRIAL_PAGE_SNAPSHOT);

    run.run.registers.r[REGISTER_RBX] = address_of(trial, TRIAL_PAGE_PROBE);
    guest->is_tried                   = true;
    if (test_hook_enter_trial_vmcb != NULL)
        test_hook_enter_trial_vmcb(vmcb);
    svm_entry_note(snapshot, vmcb);
    svm_run(&run.run, vmcb, trial_page(trial, TRIAL_PAGE_HOST_VMCB));
    if (guest_trial_entry_failed(guest))
        svm_entry_explain(snapshot, &trial->record.entry_violations);
}

void svm_trial_run_guest(struct trial *trial)
{
    run_guest(trial, prepare_guest(trial, svm_trial_guest_start),
              &svm_record_of(&trial->record)->steps.guest);
}

void svm_trial_prove_nested_paging(struct trial *trial)
{
    struct vmcb *vmcb = prepare_guest(trial, svm_trial_guest_read);
    struct page_pool tables =
        trial_map_pages(trial, TRIAL_PAGE_NESTED_TABLES, &svm_nested_format);

    (void)!nested_paging_map(&svm_nested_format, &tables,
                             gpa(address_of(trial, TRIAL_PAGE_PROBE)),
                             hpa(address_of(trial, TRIAL_PAGE_TARGET)), PAGE_SIZE);
    *(uint64_t *)trial_page(trial, TRIAL_PAGE_PROBE)  = TRIAL_MARK_PROBE;
    *(uint64_t *)trial_page(trial, TRIAL_PAGE_TARGET) = TRIAL_MARK_TARGET;
    vmcb->nested_paging                               = NESTED_PAGING;
    vmcb->nested_cr3                                  = hpa_of(tables.pages).value;
    run_guest(trial, vmcb, &svm_record_of(&trial->record)->steps.nested);
}

/* A run of the guest that exits repeatedly at one instruction. */
struct timed_run {
    struct vcpu_run run; /* first: on_exit gets its address */
    const struct vmcb *vmcb;
    struct stopwatch *stopwatch;
    uint64_t code; /* of the exits that are measured */
};

static enum run_next on_timed_exit(struct vcpu_run *run)
{
    uint64_t end                = rdtsc();
    struct timed_run *timed     = (struct timed_run *)run;
    struct stopwatch *stopwatch = timed->stopwatch;
    bool continues              = false;

    if (timed->vmcb->exit_code == timed->code)
        continues = stopwatch_add_round(stopwatch, end);
    else if (timed->vmcb->exit_code == SVM_EXIT_NMI) /* of the host; not a round */
        continues = end < stopwatch->until;
    stopwatch->start = rdtsc();
    return continues ? RUN_AGAIN : RUN_STOP;
}

/* Leaves RIP at the instruction, so that the guest executes nothing else. */
static bool exit_repeatedly(struct trial *trial, const uint8_t *instruction,
                            enum svm_exit code, struct stopwatch *stopwatch)
{
    struct vmcb *vmcb      = prepare_guest(trial, instruction);
    struct timed_run timed = {.run       = {.on_exit = on_timed_exit},
                              .vmcb      = vmcb,
                              .stopwatch = stopwatch,
                              .code      = code};

    svm_run(&timed.run, vmcb, trial_page(trial, TRIAL_PAGE_HOST_VMCB));
    return vmcb->exit_code == code;
}

bool svm_trial_exit_by_cpuid(struct trial *trial, struct stopwatch *stopwatch)
{
    return exit_repeatedly(trial, svm_trial_guest_start, SVM_EXIT_CPUID, stopwatch);
}

bool svm_trial_exit_by_vmmcall(struct trial *trial, struct stopwatch *stopwatch)
{
    return exit_repeatedly(trial, svm_trial_guest_vmmcall, SVM_EXIT_VMMCALL, stopwatch);
}
