/*
 * Shadow stacks for Hymir's own code: a return to another address than that of its call,
 * or an IRET to another one than was interrupted, raises #CP.
 *
 * SDM 1, "Control-flow Enforcement Technology (CET)"; SDM 3A, "Interrupt and Exception
 * Handling", the shadow stacks of the interrupt stack table. docs/SECURITY.md says on
 * which processors they are used, and why not on all. platform/returns.c gives a CPU its
 * shadow stacks.
 *
 * A guest runs with CR4.CET clear, with which no instruction uses or changes SSP,
 * IA32_S_CET and the table; VM entry and VM exit leave them as they are, and VM exit sets
 * CR4.CET.
 */
#ifndef HYMIR_CPU_SHADOW_STACK_H
#define HYMIR_CPU_SHADOW_STACK_H

#include "cpu/cpuid.h"
#include "cpu/percpu.h"
#include "lib/options.h"
#include "x86/control_registers.h"
#include "x86/msr.h"

/*
 * The shadow stacks of one CPU, in two pages. A return address takes 8 bytes here and
 * mostly 16 or more on the stack, whose guard page ends a recursion first.
 */
struct shadow_stacks {
    uint64_t main[MAIN_STACK_SIZE / 16];
    uint64_t double_fault[128];
    uint64_t machine_check[128];
    uint64_t nmi[256];
};
_Static_assert(sizeof(struct shadow_stacks) == 2 * PAGE_SIZE, "whole pages");

/* What an interrupt or exception pushes, from its top. */
struct shadow_frame {
    uint64_t previous_ssp;
    uint64_t rip;
    uint64_t cs;
};

/*
 * Returns whether shadow stacks are to be used on processors with these registers: the
 * processor has them, and its indirect branches need no retpoline. Pure.
 */
bool shadow_stack_is_wanted(const struct cpuid_snapshot *cpuid,
                            uint64_t arch_capabilities, enum mitigations mitigations);

/*
 * Writes the tokens of a CPU's shadow stacks, whose memory is still writable, and the
 * CPU's table of them. The memory must then be mapped as PAGE_SHADOW_STACK.
 */
void shadow_stack_prepare(struct cpu *cpu, struct shadow_stacks *stacks);

/* Sets this CPU's MSRs if it has shadow stacks; returns false if not. */
bool shadow_stack_start(const struct cpu *cpu);

/*
 * Has this CPU use its shadow stacks, if it has any, from here on. The return addresses
 * of the functions that are active are not on them: only for one that never returns.
 */
static inline __attribute__((always_inline)) void
shadow_stack_enable(const struct cpu *cpu)
{
    if (shadow_stack_start(cpu))
        shadow_stack_switch(read_cr4() | CR4_CET);
}

/* Ends their use on this CPU. Only for a function that never returns. */
static inline void shadow_stack_disable(void)
{
    write_cr4(read_cr4() & ~(uint64_t)CR4_CET);
}

/*
 * Prepares the shadow frame of an interrupt or exception for its IRET: to where it was
 * interrupted if the continuation is 0, else to that. The continuation must not be what
 * is on the stack, which the shadow frame is there to check.
 */
void shadow_stack_prepare_return(struct shadow_frame *frame, uint64_t continuation);

#endif
