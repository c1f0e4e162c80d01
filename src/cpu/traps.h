/*
 * Exceptions in Hymir, NMIs and interrupts.
 *
 * SDM 3A, "Interrupt and Exception Handling". After an exception at an instruction in the
 * exception table, execution resumes after the instruction, and after a machine check
 * that cpu/machine_check.h finds contained; any other exception panics.
 */
#ifndef HYMIR_CPU_TRAPS_H
#define HYMIR_CPU_TRAPS_H

#include "x86/exceptions.h"

#include <stdbool.h>
#include <stdint.h>

/* The interrupt vectors that Hymir uses. */
enum interrupt_vector {
    VECTOR_PIC           = 0xE0, /* and the 15 that follow: the 8259A's inputs */
    VECTOR_WAKE          = 0xF0, /* sent by another CPU that has work for this one */
    VECTOR_TIMER         = 0xF1, /* the local APIC timer's */
    VECTOR_SERIAL        = 0xF2,
    VECTOR_KEYBOARD      = 0xF3,
    VECTOR_CONSOLE       = 0xF4, /* sent by another CPU whose guest has output */
    VECTOR_TRIAL         = 0xF5, /* sent by a CPU to itself */
    VECTOR_MACHINE_CHECK = 0xF6, /* sent by the boot CPU: a look at the banks is due */
    VECTOR_THERMAL       = 0xF7,
    VECTOR_APIC_SPURIOUS = 0xFF,
};

/* The stack as traps.asm leaves it, from its top. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector;
    uint64_t error_code; /* 0 if the vector has none */
    uint64_t rip, cs, rflags, rsp, ss;
};

/* The entry points of all vectors, in traps.asm. */
extern const uint64_t trap_stubs[VECTOR_COUNT];

/* Functions that the layers above provide. */
struct trap_hooks {
    /* Handles an exception at an instruction without a row in the exception table. */
    void (*unhandled_exception)(const struct trap_frame *frame);

    /* Returns whether the vector of an exception, 16 or higher, is an interrupt's. */
    bool (*is_interrupt)(uint8_t vector);

    /* Called before the handler of an interrupt, and after it to end the interrupt. */
    void (*begin_interrupt)(uint8_t vector);
    void (*end_interrupt)(uint8_t vector);

    /* Handles and ends an interrupt that has no handler. */
    void (*unwanted_interrupt)(uint8_t vector);
};

/* Sets the hooks for all CPUs. Call before cpu_setup. */
void trap_set_hooks(const struct trap_hooks *hooks);

/*
 * Sets what is tried, on any CPU, after an exception that no row of the exception table
 * handles, except a machine check: it sets where execution resumes and returns true, or
 * returns false. Only code that runs with CR4.CET clear, such as firmware, can resume
 * elsewhere; with shadow stacks the IRET raises #CP. NULL: nothing.
 */
void trap_set_recovery(bool (*recover)(struct trap_frame *frame));

/*
 * Called by traps.asm with interrupts disabled; returns to the interrupted code. The
 * shadow frame is NULL if this CPU does not use shadow stacks.
 */
struct shadow_frame;
void trap_handle(struct trap_frame *frame, struct shadow_frame *shadow);

/* Returns an exception's mnemonic and name ("#GP general protection") or "interrupt". */
const char *trap_name(uint64_t vector);

/*
 * Sets the handler of an interrupt vector, EXCEPTION_VECTORS or higher, or NULL. It is
 * called on the interrupted CPU, with interrupts disabled.
 */
void trap_set_handler(uint8_t vector, void (*handler)(void));

#endif
