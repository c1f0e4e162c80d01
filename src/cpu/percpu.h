/*
 * Per-CPU data: the struct cpu of each logical processor, found through GS, and its
 * stacks.
 *
 * The boot CPU's are static; platform/processors.c allocates the others'. Only its own
 * CPU writes a struct cpu, except for the atomic fields.
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
 * The stacks of one CPU, each above a guard page that address_space_unmap_guards unmaps:
 * an overflow raises a page fault, which has no stack to be delivered on and becomes a
 * double fault, which has its own.
 */
struct cpu_stacks {
    uint8_t main_guard[PAGE_SIZE];
    uint8_t main[MAIN_STACK_SIZE];
    struct ist_stack {
        uint8_t guard[PAGE_SIZE];
        uint8_t stack[IST_STACK_SIZE];
    } ist[3]; /* in the order of enum interrupt_stack */
} __attribute__((aligned(4096)));

/* Entries of the TSS's interrupt stack table; numbered from 1 by the hardware. */
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
    CPU_STOPPED, /* halted for good, out of VMX operation */
};

/* Work that a CPU can be given. */
typedef void cpu_work(void *argument);

struct cpu {
    struct cpu *self; /* first: read_gs_pointer reads it */
    uint32_t index;   /* 0 for the boot CPU; the number in all messages */
    uint32_t apic_id;
    _Atomic enum cpu_state state;
    atomic_bool stop_requested; /* the next NMI is sent by smp_stop */
    atomic_uint foreign_nmis;   /* NMIs that Hymir did not send */
    struct cpu_stacks *stacks;

    /*
     * Leaves VMX operation on this CPU; NULL while it is not in VMX operation. Panic,
     * stop and reset call it: VMX root operation blocks INIT, so that the machine may not
     * reset.
     */
    void (*volatile leave_virtualization)(void);

    /* Logs what the CPU is doing, for a panic's report; NULL if nothing special. */
    void (*volatile log_activity)(const void *activity);
    const void *volatile activity;

    /* Set by smp_begin, cleared by the CPU when it is done. */
    _Atomic(cpu_work *) work;
    void *work_argument;

    uint64_t gdt[GDT_ENTRIES];
    struct task_state_segment tss;
};

/* Returns the executing CPU. */
static inline struct cpu *this_cpu(void)
{
    return read_gs_pointer();
}

/* Leaves VMX operation if this CPU is in it. For any CPU, in any state. */
void cpu_leave_virtualization(void);

/* Leaves VMX operation and halts this CPU permanently. For any CPU. */
_Noreturn void cpu_stop_this(void);

/* The boot CPU's data; multiboot.asm starts on its main stack. */
extern struct cpu_stacks boot_cpu_stacks;
extern struct cpu boot_cpu;

#endif
