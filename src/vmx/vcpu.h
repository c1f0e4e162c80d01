/*
 * VT-x's implementation of virt/backend.h: a vCPU is a VMCS that runs on one CPU.
 */
#ifndef HYMIR_VMX_VCPU_H
#define HYMIR_VMX_VCPU_H

#include "lib/bits.h"
#include "virt/backend.h"
#include "vmx/apic_virtualization.h"
#include "vmx/capabilities.h"
#include "vmx/entry_report.h"
#include "vmx/vcpu_controls.h"
#include "vmx/vmcs.h"

extern const struct backend vmx_backend;

/* Of the MSR bitmap, bytes: reads of low MSRs and of high ones, then writes. */
#define MSR_BITMAP_QUARTER UINT64_C(1024)

/* A row for each exit reason, and one for all other numbers. */
#define VMX_EXIT_ROWS (EXIT_REASON_COUNT + 1)

/* The state of the backend; only the vCPU's own CPU accesses it while the vCPU runs. */
struct vmx_vcpu {
    uint8_t vmxon_region[PAGE_SIZE], vmcs[PAGE_SIZE]; /* first: page-aligned */
    uint8_t msr_bitmap[PAGE_SIZE], io_bitmaps[2 * PAGE_SIZE];
    struct apic_virtualization apic;
    struct vcpu *vcpu;
    const struct vcpu_plan *plan;
    struct vmx_capabilities capabilities;
    struct vcpu_controls controls;
    uint64_t alarm; /* of the TSC, or TICKS_NEVER */
    bool is_interrupt_requested;
    bool defers_events;             /* alarm and request take effect at the exit's end */
    bool is_deaf;                   /* halted with interrupts off, or last was */
    bool uses_preemption_timer;     /* for the alarm; else the local APIC's timer */
    uint8_t preemption_timer_shift; /* the timer counts at TSC rate >> shift */
    struct entry_snapshot entry_snapshot; /* of a failed entry */
    struct exit_row rows[VMX_EXIT_ROWS];
    struct exit_row *row_of_reason[UINT8_MAX + 1]; /* by bits 7:0 of the exit reason */
};

/*
 * Writes the current VMCS, the bitmaps and the general registers for a run from
 * vcpu->start. Returns false if the processor rejects a field. In vcpu_state.c.
 */
bool MUST_CHECK vcpu_state_write(struct vmx_vcpu *vmx);

/* The operation restart of struct backend. In vcpu_state.c. */
void vcpu_restart(struct vcpu *vcpu);

/*
 * Take a VM exit to its handler and back: values of run.on_exit, the second one for a
 * run.entry without measures, where nothing protects indirect calls. In on_exit.c.
 */
enum run_next vcpu_on_exit(struct vcpu_run *run);
enum run_next vcpu_on_exit_unprotected(struct vcpu_run *run);

/* Returns what a report on the next, or last, entry of a vCPU needs. */
static inline struct entry_attempt vcpu_entry_attempt(struct vmx_vcpu *vmx)
{
    return (struct entry_attempt){.capabilities = &vmx->capabilities,
                                  .snapshot     = &vmx->entry_snapshot,
                                  .is_resume    = vmx->vcpu->run.is_launched};
}

/* Returns the backend's state of a vCPU. */
static inline struct vmx_vcpu *vmx_of(struct vcpu *vcpu)
{
    return vcpu->arch;
}

#endif
