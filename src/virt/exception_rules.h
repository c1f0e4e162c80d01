/*
 * The effects of exceptions and of the end of an instruction.
 *
 * Pure. SDM 3A, "Exception and Interrupt Reference", "Debug Registers".
 */
#ifndef HYMIR_VIRT_EXCEPTION_RULES_H
#define HYMIR_VIRT_EXCEPTION_RULES_H

#include "x86/control_registers.h"
#include "x86/exceptions.h"
#include "x86/msr.h"

#include <stdbool.h>
#include <stdint.h>

/* Returns "#UD", "#GP", "#PF", or "an exception", for a vector in a sentence. */
static inline const char *exception_mnemonic(uint32_t vector)
{
    return vector == VECTOR_UD   ? "#UD"
           : vector == VECTOR_GP ? "#GP"
           : vector == VECTOR_PF ? "#PF"
                                 : "an exception";
}

/* Returns whether an exception pushes an error code; none does in real-address mode. */
static inline bool exception_has_error_code(uint8_t vector, uint64_t cr0)
{
    bool has_code = vector == VECTOR_DF || vector == VECTOR_AC ||
                    (vector >= VECTOR_TS && vector <= VECTOR_PF);

    return has_code && (cr0 & CR0_PE) != 0;
}

/*
 * Returns whether a further contributory exception in the delivery of this one is a
 * double fault: "Interrupt 8 - Double Fault Exception (#DF)".
 */
static inline bool exception_is_contributory(uint8_t vector)
{
    return vector == VECTOR_DE || (vector >= VECTOR_TS && vector <= VECTOR_PF);
}

/* Returns DR6 after a #DB: B3 to B0 are replaced, the other causes are added. */
static inline uint64_t dr6_after_debug_exception(uint64_t dr6, uint64_t causes)
{
    return (dr6 & ~DR6_BREAKPOINTS) | causes;
}

/* Returns DR7 after a #DB, whose handler may access the debug registers. */
static inline uint64_t dr7_after_debug_exception(uint64_t dr7)
{
    return dr7 & ~DR7_GENERAL_DETECT;
}

/*
 * Returns the causes of a #DB, as in DR6, for an access to data: "Data Breakpoints and
 * Data Breakpoint Exception Condition". dr has the addresses of the breakpoints.
 */
static inline uint64_t data_breakpoints_hit(const uint64_t dr[DR_COUNT], uint64_t dr7,
                                            uint64_t linear, unsigned int size,
                                            bool is_write)
{
    static const uint8_t sizes[] = {1, 2, 8, 4};
    uint64_t causes              = 0;

    for (unsigned int i = 0; i < DR_COUNT; i++) {
        unsigned int type = DR7_TYPE(dr7, i), length = sizes[DR7_SIZE(dr7, i)];
        uint64_t first = dr[i] & ~(uint64_t)(length - 1);
        bool is_its_type =
            type == BREAKPOINT_ACCESS || (type == BREAKPOINT_WRITE && is_write);
        if ((dr7 & DR7_ENABLED(i)) != 0 && is_its_type && linear < first + length &&
            first < linear + size)
            causes |= BIT(i);
    }
    return causes;
}

/* Returns IA32_DEBUGCTL after a #DB: SDM 3B, "IA32_DEBUGCTL MSR". */
static inline uint64_t debugctl_after_debug_exception(uint64_t debugctl)
{
    return debugctl & ~(DEBUGCTL_LBR | DEBUGCTL_BTF);
}

/*
 * Returns whether the end of an instruction that is not a branch raises #DB: "Single-Step
 * Exception Condition"; SDM 3B, "Single-Stepping on Branches".
 */
static inline bool instruction_end_traps(uint64_t rflags, uint64_t debugctl)
{
    return (rflags & RFLAGS_TF) != 0 && (debugctl & DEBUGCTL_BTF) == 0;
}

#endif
