/*
 * AMD-V's implementation of virt/backend.h: a vCPU is a VMCB that runs on one CPU.
 */
#ifndef HYMIR_SVM_VCPU_H
#define HYMIR_SVM_VCPU_H

#include "svm/guest_policy.h"
#include "svm/vmcb.h"
#include "virt/backend.h"
#include "virt/entry_rules.h"
#include "x86/control_registers.h"

extern const struct backend svm_backend;

/*
 * The rows of exits: one for each code below SVM_EXIT_CODES, one for each from
 * SVM_EXIT_NESTED_PAGE_FAULT on, and one for all other codes.
 */
#define SVM_EXIT_CODES (SVM_EXIT_IDLE_HLT + 1U)
#define SVM_HIGH_EXITS (SVM_EXIT_VMGEXIT - SVM_EXIT_NESTED_PAGE_FAULT + 1U)
#define SVM_EXIT_OTHER (SVM_EXIT_CODES + SVM_HIGH_EXITS)
#define SVM_EXIT_ROWS  (SVM_EXIT_OTHER + 1U)

/* Events that wait until the guest accepts them. */
enum waiting_event {
    WAITING_INTERRUPT = BIT(0),
    WAITING_NMI       = BIT(1),
};

/* The state of the backend; only the vCPU's own CPU accesses it while the vCPU runs. */
struct svm_vcpu {
    struct vmcb vmcb, host_vmcb; /* first: page-aligned */
    uint8_t host_save_area[PAGE_SIZE];
    uint8_t msr_permissions[SVM_MSR_PERMISSIONS_SIZE], io_permissions[3 * PAGE_SIZE];
    struct vcpu *vcpu;
    const struct vcpu_plan *plan;
    uint64_t clean;                     /* the value of the clean bits after an exit */
    uint64_t cr4_allowed, efer_allowed; /* the bits that the guest may set */
    uint64_t debugctl;                  /* without LBR virtualization */
    uint64_t alarm;                     /* of the TSC, or TICKS_NEVER */
    uint8_t waiting;                    /* enum waiting_event */
    uint8_t flush; /* the value of TLB_CONTROL that flushes the guest's entries */
    bool has_next_rip, has_decode_assists, has_lbr_virtualization;
    bool defers_timer; /* a handler runs after which the alarm's timer is programmed */
    unsigned int restarts;
    bool blocks_nmi; /* from the delivery of an NMI to the end of IRET */
    bool steps_past_iret, iret_had_trap_flag; /* TF was set by Hymir, by the guest */
    uint64_t dr6_at_iret;                     /* the guest's */
    struct entry_snapshot entry; /* the VMCB before the first VMRUN, or a failed one */
    struct exit_row rows[SVM_EXIT_ROWS];
    struct exit_row *row_of_code[UINT8_MAX + 1]; /* by bits 7:0 of the exit code */
};

/*
 * Fills in the registers of a VMCB, but for those that a zeroed one has: CR2, RSP, the
 * CPL and MSRs. In vcpu_state.c.
 */
void svm_registers_write(struct vmcb *vmcb, const struct vcpu_start *start);

/* Fills in the VMCB, the permission maps and the general registers for a run. */
void svm_state_write(struct svm_vcpu *svm);

/* The operation restart of struct backend. In vcpu_state.c. */
void svm_restart(struct vcpu *vcpu);

/*
 * What happens at each VM exit, before and after its handler: values of run.on_exit, the
 * second for a processor that does not save the next RIP. It decodes the instruction
 * first, and if the guest has changed it meanwhile, the guest gets #UD. In on_exit.c.
 */
enum run_next svm_on_exit(struct vcpu_run *run);
enum run_next svm_on_exit_without_next_rip(struct vcpu_run *run);

/*
 * Enters the guest of *guest by VMRUN, and calls run->on_exit at each VM exit, on the
 * caller's stack, until that returns RUN_STOP. Also a failed entry calls it, with the
 * code VMEXIT_INVALID. *host is a page for the state of the host that VMSAVE saves. With
 * EFER.SVME and VM_HSAVE_PA set and interrupts off; handlers run with GIF set. In
 * entry.asm.
 */
void svm_run(struct vcpu_run *run, struct vmcb *guest, struct vmcb *host);

/* Returns the backend's state of a vCPU. */
static inline struct svm_vcpu *svm_of(struct vcpu *vcpu)
{
    return vcpu->arch;
}

/* Returns the size of the code that the guest executes. */
static inline enum code_size guest_code_size(const struct vmcb *vmcb)
{
    return code_segment_size(vmcb_access_rights(vmcb->segment[SEGMENT_CS].attributes),
                             (vmcb->efer & EFER_LMA) != 0);
}

static inline bool guest_is_64_bit(const struct vmcb *vmcb)
{
    return guest_code_size(vmcb) == CODE_64;
}

/* Changes intercepts of the second word of instructions, such as INTERCEPT_VINTR. */
static inline void svm_set_intercept_1(struct vmcb *vmcb, uint64_t intercept, bool is_on)
{
    uint32_t others = vmcb->intercept_1 & ~(uint32_t)intercept;

    vmcb->intercept_1 = others | (is_on ? (uint32_t)intercept : 0);
    vmcb_mark_dirty(vmcb, CLEAN_INTERCEPTS);
}

#endif
