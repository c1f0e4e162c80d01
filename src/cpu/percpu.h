/*
 * What each logical processor owns: its struct cpu, found through GS, and its stacks.
 *
 * The boot CPU's are static, the others' come from the frame allocator
 * (platform/machine.c). A struct cpu is written by its own CPU, but for the fields that
 * are atomic.
 */
#ifndef HYMIR_CPU_PERCPU_H
#define HYMIR_CPU_PERCPU_H

#include "cpu/instructions.h"
#include "lib/bits.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define MAIN_STACK_SIZE 16384
#define IST_STACK_SIZE  8192

/*
 * The stacks of one CPU, each behind a guard page that address_space_unmap_guards takes
 * away: an overflow is then a page fault, which finds no stack and becomes a double fault
 * on its own stack.
 */
struct cpu_stacks {
    uint8_t main_guard[PAGE_SIZE];
    uint8_t main[MAIN_STACK_SIZE];
    struct ist_stack {
        uint8_t guard[PAGE_SIZE];
        uint8_t stack[IST_STACK_SIZE];
    } ist[3]; /* in the order of enum interrupt_stack */
} __attribute__((aligned(4096)));

/* Entries of the TSS's interrupt stack table; the hardware counts from 1. */
enum interrupt_stack {
    INTERRUPT_STACK_DF = 1,
    INTERRUPT_STACK_NMI,
    INTERRUPT_STACK_MC,
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

/* The segments of Hymir; the selectors are the same on every CPU. */
enum selector {
    SELECTOR_NULL = 0x00,
    SELECTOR_CODE = 0x08,
    SELECTOR_DATA = 0x10,
    SELECTOR_TSS  = 0x18, /* two entries */
};
#define GDT_ENTRIES 5

enum cpu_state {
    CPU_ABSENT,  /* not started, or no answer */
    CPU_READY,   /* waits for work in HLT */
    CPU_STOPPED, /* halted for good, out of VMX operation */
};

/* What a CPU can be given to do. */
typedef void cpu_work(void *argument);

struct cpu {
    struct cpu *self; /* first: read_gs_pointer reads it */
    uint32_t index;   /* 0 for the boot CPU; the number in all messages */
    uint32_t apic_id;
    _Atomic enum cpu_state state;
    atomic_bool stop_requested; /* the next NMI is Hymir's, and means smp_stop */
    atomic_uint foreign_nmis;   /* NMIs that Hymir did not send */
    struct cpu_stacks *stacks;

    /*
     * What takes this CPU out of VMX operation, or NULL while it is not in it. Panic,
     * stop and reset call it: in VMX root operation INIT is blocked, and a machine left
     * in it may not reset.
     */
    void (*volatile leave_virtualization)(void);

    /* What the CPU is at, for a panic's report; NULL: nothing worth telling. */
    void (*volatile log_activity)(const void *activity);
    const void *volatile activity;

    /* Work for this CPU: set by smp_run, cleared by the CPU when it is done. */
    _Atomic(cpu_work *) work;
    void *work_argument;

    uint64_t gdt[GDT_ENTRIES];
    struct task_state_segment tss;
};

/* The CPU that executes this. */
static inline struct cpu *this_cpu(void)
{
    return read_gs_pointer();
}

/* Leaves virtualization on this CPU, if it is in it. For any CPU, in any state. */
void cpu_leave_virtualization(void);

/* Leaves virtualization and halts this CPU for good. For any CPU. */
_Noreturn void cpu_stop_this(void);

/* The boot CPU's; multiboot.asm starts on its main stack. */
extern struct cpu_stacks boot_cpu_stacks;
extern struct cpu boot_cpu;

#endif
