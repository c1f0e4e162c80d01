/*
 * The part of a CPU's record that is specific to VT-x: registers, and the result of each
 * step of the trial.
 */
#ifndef HYMIR_VMX_RECORD_H
#define HYMIR_VMX_RECORD_H

#include "virt/record.h"
#include "vmx/capabilities.h"
#include "vmx/instructions.h"

/* The guest of two instructions. */
struct guest_trial {
    bool is_prepared; /* the VMCS was filled in */
    bool uses_ept;
    struct vmx_attempt entry; /* the last VMLAUNCH or, if is_resumed, VMRESUME */
    bool is_resumed;
    struct trial_exits exits;
    uint64_t exit_qualification;
    bool registers_survived; /* RAX, from the first exit to the second */
};

/* Returns the last exit's reason, of the exits that are kept; 0 if there is none. */
static inline uint32_t guest_trial_last_reason(const struct guest_trial *guest)
{
    const struct trial_exits *exits = &guest->exits;

    return exits->count > 0 && exits->count <= ARRAY_SIZE(exits->number)
               ? (uint32_t)exits->number[exits->count - 1]
               : 0;
}

/* The steps, in order; each is tried only if all before it succeeded. */
struct vmx_steps {
    struct msr_write feature_control; /* if firmware left it unlocked */
    uint32_t control_fault;           /* of MOV to CR0 or CR4, for VMX operation */
    struct vmx_attempt vmxon;
    struct vmx_attempt vmptrst; /* with no current VMCS */
    uint64_t vmptrst_pointer;   /* the value that VMPTRST stored */
    struct vmx_attempt vmclear, vmptrld;
    struct vmx_attempt second_vmxon; /* with a current VMCS */
    struct guest_trial guest;
    struct vmx_attempt last_vmclear; /* if VMPTRLD was tried */
    struct vmx_attempt vmxoff;
    bool vmxe_cleared;               /* CR4.VMXE reads 0 afterwards */
    struct vmx_attempt after_vmxoff; /* VMPTRST again, which must fault */
};

struct vmx_record {
    struct msr_reading misc_enable; /* only on Intel's processors */
    /* Read only if CPUID reports that they exist: */
    struct msr_reading feature_control;
    struct msr_reading rtit_control;
    struct vmx_capabilities capabilities;
    struct vmx_steps steps;
};
_Static_assert(sizeof(struct vmx_record) <= CPU_RECORD_OWN_SIZE, "it fits in a record");

static inline const struct vmx_record *vmx_record(const struct cpu_record *record)
{
    return (const struct vmx_record *)(const void *)record->own;
}

static inline struct vmx_record *vmx_record_of(struct cpu_record *record)
{
    return (struct vmx_record *)(void *)record->own;
}

#endif
