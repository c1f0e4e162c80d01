/*
 * See trial_guest.h. The pages are used so:
 *
 *      0..4    the guest's memory: its PML4, PDPT, PD and PT, and a page of code
 *      5..8    EPT: PML4, PDPT, PD and PT, which map that memory at guest-physical 0
 *
 * Without EPT the guest's page tables hold host-physical addresses, and the pages for EPT
 * lie idle.
 */
#include "vmx/trial_guest.h"

#include "cpu/percpu.h"
#include "lib/log.h"
#include "lib/string.h"
#include "vmx/attempt.h"
#include "vmx/entry.h"
#include "vmx/guest_state.h"
#include "vmx/host_state.h"
#include "vmx/vmcs.h"

extern const uint8_t trial_guest_start[], trial_guest_vmcall[], trial_guest_end[];

#define LEVELS      4
#define GUEST_PAGES (LEVELS + 1)
#define GUEST_CODE \
    LEVELS /* the page with the code, and the linear page it is mapped at */
_Static_assert(TRIAL_GUEST_PAGES == GUEST_PAGES + LEVELS, "the guest, EPT");

/*
 * IA-32e paging and EPT: SDM 3A, "4-Level Paging"; SDM 3C, "EPT Translation Mechanism".
 */
#define PAGING_PRESENT                  BIT(0)
#define PAGING_WRITABLE                 BIT(1)
#define EPT_READ_WRITE_EXEC             (BIT(0) | BIT(1) | BIT(2))
#define EPT_LEAF_WRITE_BACK             (UINT64_C(6) << 3)
#define EPT_POINTER_WRITE_BACK_4_LEVELS (UINT64_C(6) | (uint64_t)(LEVELS - 1) << 3)

#define GUEST_MARK UINT64_C(0x48796D6972204F4B)
#define MAX_EXITS  16 /* as many are no accident any more */

/* The pages of a trial, by what they are for. */
struct trial_memory {
    uint64_t *guest, *ept;
};

static uint64_t *page_of(void *pages, size_t index)
{
    return (uint64_t *)pages + index * (PAGE_SIZE / sizeof(uint64_t));
}

/*
 * Makes a chain of the tables in a row: each one's first entry points to the next, the
 * first lies at address; returns the last table.
 */
static uint64_t *chain_tables(uint64_t *tables, uint64_t address, uint64_t attributes)
{
    for (size_t i = 0; i < LEVELS - 1; i++)
        *page_of(tables, i) = (address + (i + 1) * PAGE_SIZE) | attributes;
    return page_of(tables, LEVELS - 1);
}

/* Fills the guest's memory; base is where the guest sees it. */
static void build_guest_memory(const struct trial_memory *memory, uint64_t base)
{
    uint64_t *page_table =
        chain_tables(memory->guest, base, PAGING_PRESENT | PAGING_WRITABLE);

    page_table[GUEST_CODE] = (base + GUEST_CODE * PAGE_SIZE) | PAGING_PRESENT;
    memcpy(page_of(memory->guest, GUEST_CODE), trial_guest_start,
           (uintptr_t)trial_guest_end - (uintptr_t)trial_guest_start);
}

/* Maps the guest's memory at guest-physical 0. */
static void build_ept(const struct trial_memory *memory)
{
    uint64_t *page_table =
        chain_tables(memory->ept, hpa_of(memory->ept).value, EPT_READ_WRITE_EXEC);

    for (size_t i = 0; i < GUEST_PAGES; i++)
        page_table[i] = hpa_of(page_of(memory->guest, i)).value | EPT_READ_WRITE_EXEC |
                        EPT_LEAF_WRITE_BACK;
}

/* Fits a control field; what the processor does not allow is logged. */
static bool fit(const struct vmx_capabilities *capabilities, enum vmx_control control,
                uint32_t wanted, uint32_t *value)
{
    static const char *const names[] = {
        [CONTROL_PIN_BASED] = "pin-based",
        [CONTROL_PRIMARY]   = "primary processor-based",
        [CONTROL_SECONDARY] = "secondary processor-based",
        [CONTROL_EXIT]      = "VM-exit",
        [CONTROL_ENTRY]     = "VM-entry",
    };
    uint32_t missing = vmx_control_fit(capabilities, control, wanted, value);
    if (missing != 0)
        log_error("the processor does not allow %s controls 0x%x", names[control],
                  missing);
    return missing == 0;
}

/*
 * SDM 3C, "VM-Execution Control Fields", "VM-Exit Control Fields", "VM-Entry Control
 * Fields".
 */
static enum status write_controls(const struct vmx_capabilities *capabilities,
                                  bool uses_ept, uint64_t ept_pointer)
{
    uint32_t pin, primary, exit, entry, secondary = 0;
    uint32_t activate = uses_ept ? (uint32_t)PRIMARY_ACTIVATE_SECONDARY_CONTROLS : 0;

    if (!fit(capabilities, CONTROL_PIN_BASED, PIN_BASED_NMI_EXITING, &pin) ||
        !fit(capabilities, CONTROL_PRIMARY, PRIMARY_HLT_EXITING | activate, &primary) ||
        !fit(capabilities, CONTROL_EXIT, EXIT_HOST_ADDRESS_SPACE_SIZE, &exit) ||
        !fit(capabilities, CONTROL_ENTRY, ENTRY_IA32E_MODE_GUEST, &entry) ||
        (uses_ept &&
         !fit(capabilities, CONTROL_SECONDARY, SECONDARY_ENABLE_EPT, &secondary)))
        return STATUS_UNSUPPORTED;

    const struct vmcs_row rows[] = {
        {VMCS_PIN_BASED_CONTROLS, pin},
        {VMCS_PRIMARY_CONTROLS, primary},
        {VMCS_EXCEPTION_BITMAP, 0},
        {VMCS_PAGE_FAULT_ERROR_CODE_MASK, 0},
        {VMCS_PAGE_FAULT_ERROR_CODE_MATCH, 0},
        {VMCS_CR3_TARGET_COUNT, 0},
        {VMCS_CR0_GUEST_HOST_MASK, 0},
        {VMCS_CR4_GUEST_HOST_MASK, 0},
        {VMCS_EXIT_CONTROLS, exit},
        {VMCS_EXIT_MSR_STORE_COUNT, 0},
        {VMCS_EXIT_MSR_LOAD_COUNT, 0},
        {VMCS_ENTRY_CONTROLS, entry},
        {VMCS_ENTRY_MSR_LOAD_COUNT, 0},
        {VMCS_ENTRY_INTERRUPTION_INFORMATION, 0},
        /* These two exist only where there are secondary controls. */
        {VMCS_SECONDARY_CONTROLS, secondary},
        {VMCS_EPT_POINTER, ept_pointer},
    };
    return vmcs_write_rows(rows, ARRAY_SIZE(rows) - (uses_ept ? 0 : 2));
}

/* 64-bit mode at the start of the code page, interrupts off. */
static enum status write_guest_state(uint64_t cr3)
{
    static const struct vcpu_segment code = {SELECTOR_CODE, UINT32_MAX,
                                             ACCESS_RIGHTS_CODE_64, 0};
    static const struct vcpu_segment task = {
        SELECTOR_TSS, sizeof(struct task_state_segment) - 1, ACCESS_RIGHTS_TSS_BUSY, 0};
    const struct guest_state state = {
        .cr0     = read_cr0(),
        .cr3     = cr3,
        .cr4     = read_cr4(),
        .rip     = GUEST_CODE * PAGE_SIZE,
        .segment = {[SEGMENT_CS] = &code, [SEGMENT_TR] = &task},
    };
    return guest_state_write(&state);
}

/* Fills in the current VMCS and all that it points to. */
static bool prepare_guest(const struct vmx_capabilities *capabilities,
                          const struct trial_memory *memory, bool uses_ept)
{
    uint64_t base        = uses_ept ? 0 : hpa_of(memory->guest).value;
    uint64_t ept_pointer = hpa_of(memory->ept).value | EPT_POINTER_WRITE_BACK_4_LEVELS;

    build_guest_memory(memory, base);
    if (uses_ept) {
        build_ept(memory);
        /* What earlier software left in the TLB under this EPT pointer is not ours. */
        if (vmx_has_invept_all(capabilities) && invept_all() != VMX_SUCCEED) {
            log_error("INVEPT failed: %s", vmx_error_name(vmcs_instruction_error()));
            return false;
        }
    }
    return write_controls(capabilities, uses_ept, ept_pointer) == STATUS_OK &&
           host_state_write() == STATUS_OK && write_guest_state(base) == STATUS_OK;
}

static bool advance_rip(void)
{
    uint64_t rip, length;
    return vmcs_read(VMCS_GUEST_RIP, &rip) == STATUS_OK &&
           vmcs_read(VMCS_EXIT_INSTRUCTION_LENGTH, &length) == STATUS_OK &&
           vmcs_write(VMCS_GUEST_RIP, rip + length) == STATUS_OK;
}

/* A run of the guest, and where it is written down. */
struct trial_run {
    struct vcpu_run run; /* first: on_exit gets its address */
    struct guest_trial *guest;
};

/* Notes an exit; true if the guest goes on, with a mark in its RAX. */
static bool note_exit(struct trial_run *trial, uint32_t reason)
{
    struct guest_trial *guest = trial->guest;
    uint64_t *rax             = &trial->run.registers.r[REGISTER_RAX];

    if (guest->exits < ARRAY_SIZE(guest->exit_reason))
        guest->exit_reason[guest->exits] = reason;
    guest->exits++;
    guest->registers_survived = *rax == GUEST_MARK;
    if (reason != EXIT_REASON_CPUID || guest->exits > MAX_EXITS)
        return false;
    *rax = GUEST_MARK;
    return advance_rip();
}

/* The guest runs up to HLT or the first surprise. */
static enum run_next on_exit(struct vcpu_run *run)
{
    struct trial_run *trial   = (struct trial_run *)run;
    struct guest_trial *guest = trial->guest;
    uint64_t reason;

    guest->is_resumed = true;
    if (vmcs_read(VMCS_EXIT_REASON, &reason) != STATUS_OK ||
        vmcs_read(VMCS_EXIT_QUALIFICATION, &guest->exit_qualification) != STATUS_OK)
        return RUN_STOP;
    if (reason != EXIT_REASON_EXCEPTION_OR_NMI)
        return note_exit(trial, (uint32_t)reason) ? RUN_AGAIN : RUN_STOP;
    /* The guest raises no exception that exits, so this is an NMI, and it is Hymir's. */
    raise_nmi();
    return guest->nmis++ < MAX_EXITS ? RUN_AGAIN : RUN_STOP;
}

void trial_guest_run(const struct vmx_capabilities *capabilities, void *pages,
                     struct guest_trial *guest)
{
    const struct trial_memory memory = {.guest = page_of(pages, 0),
                                        .ept   = page_of(pages, GUEST_PAGES)};
    struct trial_run trial           = {.run = {.on_exit = on_exit}, .guest = guest};

    guest->uses_ept    = vmx_has_ept(capabilities);
    guest->is_prepared = prepare_guest(capabilities, &memory, guest->uses_ept);
    if (guest->is_prepared)
        guest->entry = vmx_attempt_done(vmx_run(&trial.run));
}

/* A run of the guest that exits at one instruction, again and again. */
struct timed_run {
    struct vcpu_run run; /* first: on_exit gets its address */
    struct stopwatch *stopwatch;
    uint64_t reason; /* of the exits that are measured */
    bool has_failed;
};

static enum run_next on_timed_exit(struct vcpu_run *run)
{
    uint64_t end                = rdtsc();
    struct timed_run *timed     = (struct timed_run *)run;
    struct stopwatch *stopwatch = timed->stopwatch;
    uint64_t reason;

    if (!vmread_quick(VMCS_EXIT_REASON, &reason) ||
        (reason != timed->reason && reason != EXIT_REASON_EXCEPTION_OR_NMI)) {
        timed->has_failed = true;
        return RUN_STOP;
    }
    if (reason != timed->reason)
        raise_nmi(); /* the guest raises no exception: it is Hymir's NMI, and no round */
    else if (!stopwatch_add_round(stopwatch, end))
        return RUN_STOP;
    stopwatch->start = rdtsc();
    return RUN_AGAIN;
}

/* RIP stays at the instruction, so that the guest executes nothing else. */
bool trial_guest_exit(enum trial_guest_instruction instruction,
                      struct stopwatch *stopwatch)
{
    bool is_cpuid          = instruction == TRIAL_GUEST_CPUID;
    uintptr_t vmcall       = (uintptr_t)trial_guest_vmcall - (uintptr_t)trial_guest_start;
    uint64_t rip           = GUEST_CODE * PAGE_SIZE + (is_cpuid ? 0 : vmcall);
    struct timed_run timed = {
        .run       = {.on_exit = on_timed_exit, .is_launched = true},
        .stopwatch = stopwatch,
        .reason    = is_cpuid ? EXIT_REASON_CPUID : EXIT_REASON_VMCALL,
    };

    return vmcs_write(VMCS_GUEST_RIP, rip) == STATUS_OK &&
           vmx_run(&timed.run) == VMX_SUCCEED && !timed.has_failed;
}
