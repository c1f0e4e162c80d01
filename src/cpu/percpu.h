/*
 * Per-CPU data: the struct cpu of each logical processor, found through GS, and its
 * stacks.
 *
 * The boot CPU's are static; platform/processors.c allocates the others' data, and
 * mm/address_space.c their stacks. Only its own CPU writes a struct cpu, except for the
 * atomic fields.
 */
#ifndef HYMIR_CPU_PERCPU_H
#define HYMIR_CPU_PERCPU_H

#include "cpu/instructions.h"
#include "cpu/machine_check_rules.h"
#include "cpu/tsc_offset.h"
#include "lib/bits.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * At least twice the depth that the scenarios of tests/boot/stacks.toml measure: 3.4 KiB
 * on the main stack, where the report is written, 1.4 KiB in a panic, 0.3 KiB in an NMI.
 * So a panic also fits on the main stack and on that of NMIs.
 */
#define MAIN_STACK_SIZE  8192
#define FATAL_STACK_SIZE 4096
#define NMI_STACK_SIZE   4096

/*
 * The stacks of one CPU, as addresses: each is above a guard page, which has no memory.
 * An overflow raises a page fault, which has no stack to be delivered on and becomes a
 * double fault, which has its own.
 */
struct cpu_stacks {
    uint8_t main_guard[PAGE_SIZE];
    uint8_t main[MAIN_STACK_SIZE];
    uint8_t fatal_guard[PAGE_SIZE];
    uint8_t fatal[FATAL_STACK_SIZE];
    uint8_t nmi_guard[PAGE_SIZE];
    uint8_t nmi[NMI_STACK_SIZE];
} __attribute__((aligned(4096)));

/* Where a stack lies in struct cpu_stacks; its guard page is below it. */
struct cpu_stack {
    const char *name;
    size_t offset; /* from the start of the structure, in bytes */
    size_t size;   /* in bytes, whole pages */
};
#define CPU_STACK_COUNT 3
extern const struct cpu_stack cpu_stack_table[CPU_STACK_COUNT];

/*
 * Entries of the TSS's interrupt stack table; numbered from 1 by the hardware.
 *
 * Double faults and machine checks share a stack. The handler of a double fault never
 * returns, and a second machine check before the first has ended shuts the CPU down. If
 * one is raised during the report of the other, it overwrites only frames that are no
 * longer needed: panic_at_trap logs that the report has ended, and halts the CPU. An NMI
 * has its own stack, because it may arrive during their handler and then returns to it.
 * If one of them is raised in the handler of an NMI, it leaves that stack as it is. A
 * machine check between the end of another and its IRET would overwrite the frame of
 * that: no instruction does both. Each has its own shadow stack, because one that is in
 * use cannot be used again.
 */
enum interrupt_stack {
    INTERRUPT_STACK_DOUBLE_FAULT = 1,
    INTERRUPT_STACK_NMI,
    INTERRUPT_STACK_MACHINE_CHECK,
};

/* SDM 3A, "Task Management in 64-bit Mode", figure "64-Bit TSS Format". */
struct __attribute__((packed)) task_state_segment {
    uint32_t reserved_0;
    uint64_t rsp[3];
    uint64_t reserved_1;
    uint64_t ist[7];
    uint64_t reserved_2;
    uint16_t reserved_3;
    uint16_t io_map_base;
};
_Static_assert(sizeof(struct task_state_segment) == 104, "SDM 3A, 64-Bit TSS Format");

/* Hymir's segment selectors, the same on every CPU. */
enum selector {
    SELECTOR_NULL = 0x00,
    SELECTOR_CODE = 0x08,
    SELECTOR_DATA = 0x10,
    SELECTOR_TSS  = 0x18, /* two entries */
};
#define GDT_ENTRIES 5

enum cpu_state {
    CPU_ABSENT,  /* not started, or no response */
    CPU_READY,   /* waiting for work in HLT */
    CPU_STOPPED, /* halted for good, virtualization left */
};

/* Work that a CPU can be given. */
typedef void cpu_work(void *argument);

/* What the boot CPU and another one pass each other to compare their TSCs. */
struct tsc_exchange {
    _Atomic uint32_t asked;    /* rounds that the boot CPU has begun */
    _Atomic uint32_t answered; /* those that the other CPU has answered */
    uint64_t ticks;            /* the other CPU's TSC */
};

/* What VM entry and VM exit do about issues of the processor: virt/measures.inc. */
enum entry_measure {
    ENTRY_VERW,
    ENTRY_FLUSH_L1D, /* Intel's */
    ENTRY_FILL_RSB,
    ENTRY_IBRS,        /* Intel's */
    ENTRY_IBPB,        /* AMD's */
    ENTRY_DROP_SHADOW, /* Intel's; with ENTRY_FILL_RSB and shadow stacks */
    ENTRY_MEASURES,
};

/* What is written when a guest gets a CPU; chosen once per CPU: virt/issues.h. */
struct guest_controls {
    uint64_t pred_cmd;       /* written to IA32_PRED_CMD */
    uint64_t spec_ctrl;      /* bits to set in IA32_SPEC_CTRL, for guests and Hymir */
    uint64_t efer;           /* bits to set in Hymir's IA32_EFER */
    uint64_t de_cfg;         /* bits to set in DE_CFG */
    uint64_t bp_cfg;         /* bits to set in BP_CFG */
    uint64_t mcu_opt_ctrl;   /* bits to clear in IA32_MCU_OPT_CTRL */
    uint32_t guest_features; /* that guests see besides CPUID.80000021H:EAX */
    uint8_t entry;           /* struct vcpu_run */
};

/*
 * The errors that handlers of #MC have moved out of the banks, until they are logged. The
 * handler adds some, and interrupts the only code that removes them: cpu/machine_check.c.
 */
#define MACHINE_CHECK_QUEUE 16
struct machine_check_queue {
    atomic_uint written, read; /* how many were, modulo 2^32 */
    unsigned int found_count;  /* by all CPUs, at the end of this one's last #MC */
    struct machine_check_bank bank[MACHINE_CHECK_QUEUE];
};

struct cpu {
    struct cpu *self; /* first: read_gs_pointer reads it */
    uint32_t index;   /* 0 for the boot CPU; the number in all messages */
    uint32_t apic_id;
    _Atomic enum cpu_state state;
    atomic_uint foreign_nmis;   /* NMIs that Hymir did not send */
    atomic_bool stop_requested; /* the next NMI is sent by smp_stop */
    atomic_bool has_begun; /* no work waits: the CPU has taken it, or it was withdrawn */
    bool had_cpuid_limit;  /* of firmware; inherited_state_clear removed it */

    /* A machine check after which execution goes on has left errors to look at. */
    volatile bool has_machine_check;
    struct machine_check_queue machine_checks;
    uint64_t next_heat_warning; /* of the TSC */
    struct cpu_stacks *stacks;

    /* Set by shadow_stack_prepare; 0 without shadow stacks: cpu/shadow_stack.h. */
    uint64_t main_ssp;
    uint64_t interrupt_ssp[8]; /* by enum interrupt_stack */

    struct guest_controls controls;
    uint64_t guest_spec_ctrl; /* IA32_SPEC_CTRL as the guest on this CPU has it */
    uint64_t guest_ssbd;      /* its VIRT_SPEC_CTRL */

    /*
     * Leaves virtualization on this CPU, which is VMX operation, or SVM with EFER.SVME
     * set; NULL while the CPU is in neither. Panic, stop and reset call it: VMX root
     * operation and a clear GIF of SVM block INIT, so that the machine may not reset.
     */
    void (*volatile leave_virtualization)(void);

    /* Logs what the CPU is doing, for a panic's report; NULL if nothing special. */
    void (*volatile log_activity)(const void *activity);
    const void *volatile activity;

    /* Set by smp_begin, cleared by the CPU when it is done. */
    _Atomic(cpu_work *) work;
    void *work_argument;

    struct tsc_offset tsc_offset; /* from the boot CPU's; set by the boot CPU */
    struct tsc_exchange tsc_exchange;

    uint64_t gdt[GDT_ENTRIES];
    struct task_state_segment tss;
} __attribute__((aligned(64))); /* does not share a cache line with another CPU's */

/* Returns the executing CPU. */
static inline struct cpu *this_cpu(void)
{
    return read_gs_pointer();
}

/* Leaves virtualization if this CPU is in it. For any CPU, in any state. */
void cpu_leave_virtualization(void);

/* Leaves virtualization and halts this CPU permanently. For any CPU. */
_Noreturn void cpu_stop_this(void);

/* The boot CPU's data; multiboot.asm starts on its main stack. */
extern struct cpu_stacks boot_cpu_stacks;
extern struct cpu boot_cpu;

#endif
