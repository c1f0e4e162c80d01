/*
 * What happens when a CPU is interrupted: exceptions of Hymir's own, NMIs, the wake-up
 * interrupt.
 *
 * SDM 3A, "Interrupt and Exception Handling". An exception at an instruction in the
 * exception table continues behind it; any other is a panic.
 */
#ifndef HYMIR_CPU_TRAPS_H
#define HYMIR_CPU_TRAPS_H

#include "x86/exceptions.h"

#include <stdint.h>

/* The stack as traps.asm leaves it, from its top. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector;
    uint64_t error_code; /* 0 for a vector that has none */
    uint64_t rip, cs, rflags, rsp, ss;
};

/* The entry points of all vectors, in traps.asm. */
extern const uint64_t trap_stubs[VECTOR_COUNT];

/* What the layers above do for traps. */
struct trap_hooks {
    /* An exception at an instruction without a row in the exception table. */
    void (*unhandled_exception)(const struct trap_frame *frame);
    void (*end_of_interrupt)(void); /* signals it to the interrupt controller */
};

/* Sets the hooks of all CPUs. Call before descriptors_load. */
void trap_set_hooks(const struct trap_hooks *hooks);

/* Called by traps.asm with interrupts off; returns to where the CPU was interrupted. */
void trap_handle(struct trap_frame *frame);

/*
 * The SDM's mnemonic and name of an exception, such as "#GP general protection", or
 * "interrupt".
 */
const char *trap_name(uint64_t vector);

/*
 * Has handler called for an interrupt with the vector, of EXCEPTION_VECTORS or more, on
 * whichever CPU takes it, with interrupts off; it runs in between whatever that CPU does.
 */
void trap_set_handler(uint8_t vector, void (*handler)(void));

#endif
