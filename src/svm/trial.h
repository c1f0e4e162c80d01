/*
 * The trial of a CPU with AMD-V: the steps that svm/checks.c judges, and measurements.
 */
#ifndef HYMIR_SVM_TRIAL_H
#define HYMIR_SVM_TRIAL_H

#include "virt/virtualization.h"

/* The pages of a trial, contiguous. */
enum svm_trial_page {
    TRIAL_PAGE_HSAVE,
    TRIAL_PAGE_GUEST_VMCB,
    TRIAL_PAGE_HOST_VMCB,
    TRIAL_PAGE_SNAPSHOT, /* of the VMCB before VMRUN */
    TRIAL_PAGE_CODE,     /* of the guest */
    TRIAL_PAGE_PROBE,    /* read through nested paging, which maps it to the next one */
    TRIAL_PAGE_TARGET,
    TRIAL_PAGE_GUEST_TABLES,
    TRIAL_PAGE_NESTED_TABLES = TRIAL_PAGE_GUEST_TABLES + TRIAL_TABLE_PAGES,
    TRIAL_PAGE_SAMPLES       = TRIAL_PAGE_NESTED_TABLES + TRIAL_TABLE_PAGES,
    SVM_TRIAL_PAGES,
};

/* Reads AMD-V's registers into the record. */
void svm_trial_read_registers(struct cpu_record *record);

/* Clears VM_CR.SVMDIS if firmware left it set and unlocked, without nolock. */
void svm_trial_permit(struct trial *trial);

/* Sets EFER.SVME. */
void svm_trial_enter(struct trial *trial);

/* Writes VM_HSAVE_PA. */
void svm_trial_set_host_save_area(struct trial *trial);

/* Sends an interrupt to this CPU while GIF is 0. */
void svm_trial_prove_gif(struct trial *trial);

/* Runs the guest of two instructions, CPUID and HLT, without nested paging. */
void svm_trial_run_guest(struct trial *trial);

/*
 * Runs a guest with nested paging, whether CPUID reports it or not, that reads the probe
 * page: it finds the mark of the target page, or of the probe page if the processor
 * ignores NP_ENABLE.
 */
void svm_trial_prove_nested_paging(struct trial *trial);
#define TRIAL_MARK_GUEST  UINT64_C(0x48796D697220A000)
#define TRIAL_MARK_PROBE  UINT64_C(0x48796D697220A001)
#define TRIAL_MARK_TARGET UINT64_C(0x48796D697220A002)

/*
 * Run a guest so that one instruction exits in each round of the stopwatch. Return false
 * if another exit occurs.
 */
bool svm_trial_exit_by_cpuid(struct trial *trial, struct stopwatch *stopwatch);
bool svm_trial_exit_by_vmmcall(struct trial *trial, struct stopwatch *stopwatch);

/* Sets GIF, clears EFER.SVME and VM_HSAVE_PA. */
void svm_trial_leave(struct trial *trial);

#define SVM_TIMINGS 6
extern const struct timing_row svm_timings[SVM_TIMINGS];

#endif
