/*
 * Pseudo-random numbers, the same in every run, so that failures are reproducible.
 */
#ifndef HYMIR_TESTS_RANDOM_H
#define HYMIR_TESTS_RANDOM_H

#include <stdint.h>

static uint64_t random_state = 0x9E3779B97F4A7C15;

/* Returns the next number of xorshift64: Marsaglia, "Xorshift RNGs", 2003. */
static inline uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static inline uint64_t random_below(uint64_t limit)
{
    return random_number() % limit;
}

#endif
