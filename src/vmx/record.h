/*
 * All that Hymir has seen of VT-x on one CPU: what the registers said, what became of
 * each step.
 *
 * vmx/trial.c fills it in on the CPU itself; vmx/check.c and vmx/verdict.c judge it, on
 * this machine or, in the unit tests, on another.
 */
#ifndef HYMIR_VMX_RECORD_H
#define HYMIR_VMX_RECORD_H

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "vmx/capabilities.h"
#include "vmx/instructions.h"
#include "vmx/timing.h"

#include <stdbool.h>
#include <stdint.h>

/* How far the CPU came. */
enum cpu_answer {
    CPU_ANSWERED,       /* the rest of the record is complete */
    CPU_NO_ANSWER,      /* it did not start: nothing else is known */
    CPU_NOT_ADDRESSED,  /* its APIC ID needs x2APIC mode, which is not to be had */
    CPU_DID_NOT_FINISH, /* it started, and did not come back from the check */
};

/* The registers, read before anything is changed. */
struct vmx_snapshot {
    struct cpuid_snapshot cpuid;
    uint64_t cr0, cr4;
    uint32_t microcode;             /* revision, 0 if unknown */
    struct msr_reading misc_enable; /* of Intel's processors */
    /* Read only if CPUID says that they exist: */
    struct msr_reading feature_control;
    struct msr_reading rtit_control;
    struct msr_reading arch_capabilities;
    struct vmx_capabilities capabilities;
};

/* The guest of two instructions. */
struct guest_trial {
    bool is_prepared; /* the VMCS was filled in */
    bool uses_ept;
    struct vmx_attempt entry; /* the last VMLAUNCH or, if is_resumed, VMRESUME */
    bool is_resumed;
    uint32_t nmis;           /* that came as exits, and are not counted as such */
    uint32_t exits;          /* how many there were, of which the first two are kept */
    uint32_t exit_reason[2]; /* with all bits */
    uint64_t exit_qualification;
    bool registers_survived; /* RAX, from the first exit to the second */
};

/* The steps, in order; each is tried only if all before it succeeded. */
struct vmx_trial {
    bool feature_control_written;
    uint32_t feature_control_fault;
    struct msr_reading feature_control; /* read back */
    uint32_t control_fault;             /* of MOV to CR0 or CR4, for VMX operation */
    struct vmx_attempt vmxon;
    struct vmx_attempt vmptrst; /* VMPTRST with no current VMCS ... */
    uint64_t vmptrst_pointer;   /* ... and what it stored */
    struct vmx_attempt vmclear, vmptrld;
    struct vmx_attempt second_vmxon; /* with a current VMCS */
    struct guest_trial guest;
    struct vmx_attempt last_vmclear; /* if VMPTRLD was tried, whatever came behind it */
    struct vmx_attempt vmxoff;
    bool vmxe_cleared;               /* CR4.VMXE reads 0 afterwards */
    struct vmx_attempt after_vmxoff; /* VMPTRST again, which must fault */
};

struct vmx_record {
    uint32_t apic_id;
    enum cpu_answer answer;
    bool nolock; /* the option: IA32_FEATURE_CONTROL is not to be written */
    struct vmx_snapshot before;
    struct vmx_trial trial;
    struct timings timings; /* of the first CPU of its core type */
};

#endif
