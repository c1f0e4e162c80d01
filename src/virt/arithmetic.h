/*
 * Executes instructions on the values of their operands: results and flags.
 *
 * Pure. SDM 1, "Status Flags"; SDM 2, each instruction. Flags that the manuals leave
 * undefined have the values that processors give them: AF is 0 after a logical operation,
 * and a bit test changes only CF.
 */
#ifndef HYMIR_VIRT_ARITHMETIC_H
#define HYMIR_VIRT_ARITHMETIC_H

#include "virt/decoder.h"

/* The values before and after an operation. Results may have bits above the size. */
struct arithmetic {
    uint8_t size, source_size;    /* bytes of the operands: 1, 2, 4 or 8 */
    uint64_t destination, source; /* zero-extended; an immediate is sign-extended */
    uint64_t accumulator;         /* RAX: of CMPXCHG */
    uint64_t rflags;
};

typedef void arithmetic_operation(struct arithmetic *values);

/*
 * Returns what an instruction computes, an element of a string instruction, or NULL if
 * this module does not have it. CMPXCHG sets the accumulator; a bit offset is taken
 * modulo the operand's size.
 */
arithmetic_operation *arithmetic_find(enum instruction_name name);

#endif
