/*
 * The trial of a CPU with VT-x: the steps that vmx/checks.c judges, and measurements.
 */
#ifndef HYMIR_VMX_TRIAL_H
#define HYMIR_VMX_TRIAL_H

#include "virt/virtualization.h"

/* The pages of a trial, contiguous. */
enum vmx_trial_page {
    TRIAL_PAGE_VMXON,
    TRIAL_PAGE_VMCS,
    TRIAL_PAGE_OTHER_VMCS, /* for VMPTRLD's timing */
    TRIAL_PAGE_SNAPSHOT,   /* of a failed entry */
    TRIAL_PAGE_CODE,       /* of the guest */
    TRIAL_PAGE_GUEST_TABLES,
    TRIAL_PAGE_EPT     = TRIAL_PAGE_GUEST_TABLES + TRIAL_TABLE_PAGES,
    TRIAL_PAGE_SAMPLES = TRIAL_PAGE_EPT + TRIAL_TABLE_PAGES, /* of the stopwatch */
    VMX_TRIAL_PAGES,
};

/* Reads VT-x's registers into the record. */
void vmx_trial_read_registers(struct cpu_record *record);

/* Sets and locks IA32_FEATURE_CONTROL if firmware left it unlocked, without nolock. */
void vmx_trial_unlock(struct trial *trial);

/* Enters VMX operation with CR0 and CR4 that allow it. */
void vmx_trial_enter(struct trial *trial);

/*
 * Executes instructions that succeed, or fail with an error number, only in VMX root
 * operation.
 */
void vmx_trial_prove_root_operation(struct trial *trial);

/*
 * Fills in the current VMCS, which is clear, and runs the guest of two instructions until
 * HLT or an unexpected exit. In VMX root operation, with interrupts off.
 */
void vmx_trial_run_guest(struct trial *trial);

/*
 * Run that guest again so that one instruction exits in each round of the stopwatch.
 * Return false if another exit occurs.
 */
bool vmx_trial_exit_by_cpuid(struct trial *trial, struct stopwatch *stopwatch);
bool vmx_trial_exit_by_vmcall(struct trial *trial, struct stopwatch *stopwatch);

/* Clears the VMCS and leaves VMX operation. */
void vmx_trial_leave(struct trial *trial);

#define VMX_TIMINGS 7
extern const struct timing_row vmx_timings[VMX_TIMINGS];

#endif
