/*
 * Deliberate faults, chosen by the option selftest=KIND or selftest=KIND@CPU of the test
 * image: docs/TESTING.md, "Deliberate faults". Each source of this folder defines hooks
 * of src/lib/test_hooks.h.
 */
#ifndef HYMIR_TESTS_FAULTS_SELFTEST_H
#define HYMIR_TESTS_FAULTS_SELFTEST_H

#include <stdint.h>

enum selftest_kind {
    SELFTEST_NONE,
    SELFTEST_FAULT,          /* an undefined instruction, virtualization entered */
    SELFTEST_NULL,           /* a read of page 0, which is not mapped */
    SELFTEST_WRITE_TEXT,     /* a write to Hymir's own code */
    SELFTEST_EXECUTE_DATA,   /* a jump into Hymir's own data */
    SELFTEST_STACK_OVERFLOW, /* recursion into the guard page */
    SELFTEST_NMI_GUARD,      /* a write to the guard page under the stack of NMIs */
    SELFTEST_MACHINE_CHECK,  /* a machine check, and an NMI during its report */
    SELFTEST_FATAL_TWICE,    /* recursion, and a machine check during the report */
    SELFTEST_RETURN,         /* NMIs, firmware's returns, a return to another address */
    SELFTEST_TRAP_RETURN,    /* an exception's frame has another address */
    SELFTEST_HANG,           /* a CPU that never returns from its trial */
    SELFTEST_ABSENT_CPU,     /* a CPU in the list that the machine does not have */
    SELFTEST_MEMORY,         /* all memory is allocated and overwritten */
    SELFTEST_MUTE_KEYBOARD,  /* the keyboard receives no command: input.c */
    SELFTEST_LOSE_WAKE,      /* wake-up interrupts are lost: input.c */
    SELFTEST_RECOVERY,       /* the processor has SUCCOR: recovery.c */
    SELFTEST_LATE_END,       /* CPUs note the end of their work late: input.c */

    /* Replaces a firmware service: firmware.c. */
    SELFTEST_FIRMWARE_HANG,
    SELFTEST_FIRMWARE_FAULT,

    /* The first guest's VM entry fails: vm_entry.c; some kinds on VT-x only. */
    SELFTEST_ENTRY_CONTROL,
    SELFTEST_ENTRY_HOST,
    SELFTEST_ENTRY_GUEST,
    SELFTEST_ENTRY_MSR_LOAD,
    SELFTEST_ENTRY_REVISION,
    SELFTEST_ENTRY_LAUNCH_TWICE,
    SELFTEST_ENTRY_RESUME_FIRST,
    SELFTEST_ENTRIES,         /* no fault: the processor judges the rules of VM entry */
    SELFTEST_TRIAL_ENTRY,     /* not of a guest: of the trial's */
    SELFTEST_EXIT,            /* Hymir's handler of its first VMCALL executes an undefined
                                 instruction */
    SELFTEST_LOST_INTERRUPTS, /* two of three that the first guest exits for */
    SELFTEST_MEASURES,        /* no fault: measures@SET at its VM entries and exits, of a
                                 processor that needs them: a set of BIT(ENTRY_VERW) and
                                 so on */
};

struct selftest {
    enum selftest_kind kind;
    uint32_t cpu; /* the index of the CPU that commits the fault; an APIC ID; or a set */
};

/* The last valid selftest= of the command line. */
extern struct selftest selftest;

struct vcpu;

/* Makes VMRUN of a vCPU fail, if kind selects it: vmrun.c. */
void selftest_spoil_vmcb(struct vcpu *vcpu);

/* Enters the trial's guest in many good and bad states, on VT-x: entry_rules.c. */
struct entry_attempt;
void selftest_try_entries(const struct entry_attempt *attempt);

/* Compares the rules of VMRUN with the processor, with SVM enabled: vmrun_rules.c. */
void selftest_try_vmrun_rules(void);

/* Logs VM_HSAVE_PA of a CPU with SVM, if log=debug: vmrun.c. */
void selftest_log_host_save_area(void);

/* Overwrites all free memory and logs which of the kept ranges changed: memory.c. */
void selftest_check_memory(void);

#endif
