/*
 * The part of a CPU's record that is specific to AMD-V: registers, and the result of each
 * step of the trial.
 */
#ifndef HYMIR_SVM_RECORD_H
#define HYMIR_SVM_RECORD_H

#include "svm/vmcb.h"
#include "virt/record.h"

/* The global interrupt flag, shown by an interrupt that the CPU sends to itself. */
struct gif_trial {
    bool is_tried;
    bool is_sent;                  /* the local APIC accepted it */
    bool is_taken_early, is_taken; /* while GIF was 0; after STGI */
};

/* The guest of two instructions, and the guest that reads through nested paging. */
struct guest_trial {
    bool is_tried;
    struct trial_exits exits;
    uint64_t exit_info[2]; /* EXITINFO1 and EXITINFO2 of the last */
    uint64_t rax;          /* of the guest, at the last exit */
};

/* Returns whether VMRUN ended with VMEXIT_INVALID. */
static inline bool guest_trial_entry_failed(const struct guest_trial *guest)
{
    return guest->exits.count > 0 && SVM_EXIT_IS_INVALID(guest->exits.number[0]);
}

/* The steps, in order; each is tried only if all before it succeeded. */
struct svm_steps {
    struct msr_write vm_cr; /* if firmware left SVMDIS set and unlocked */
    struct msr_write efer, vm_hsave_pa;
    struct gif_trial gif;
    struct guest_trial guest, nested;
    struct msr_write last_efer, last_vm_hsave_pa; /* after the guests */
    uint32_t after_svme;                          /* CLGI again, which must fault */
};

struct svm_record {
    struct msr_reading vm_cr, efer, syscfg, vm_hsave_pa;
    struct svm_steps steps;
};
_Static_assert(sizeof(struct svm_record) <= CPU_RECORD_OWN_SIZE, "it fits in a record");

static inline const struct svm_record *svm_record(const struct cpu_record *record)
{
    return (const struct svm_record *)(const void *)record->own;
}

static inline struct svm_record *svm_record_of(struct cpu_record *record)
{
    return (struct svm_record *)(void *)record->own;
}

#endif
