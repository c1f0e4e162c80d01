/*
 * The string instructions that copy and fill memory, one per function, and a barrier for
 * the compiler: the only inline assembly of lib/.
 *
 * SDM 2, "REP/REPE/REPZ/REPNE/REPNZ - Repeat String Operation Prefix". RFLAGS.DF is 0.
 */
#ifndef HYMIR_LIB_INSTRUCTIONS_H
#define HYMIR_LIB_INSTRUCTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Copies count quadwords, in ascending order. */
static inline void copy_quadwords(void *to, const void *from, size_t count)
{
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

/* Writes count quadwords of value. */
static inline void fill_quadwords(void *to, uint64_t value, size_t count)
{
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

/* Returns a value of which the compiler then knows nothing. */
static inline size_t hide_value(size_t value)
{
    __asm__ volatile("" : "+r"(value));
    return value;
}

#endif
