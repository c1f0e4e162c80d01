/*
 * Bits, fields and alignment: the arithmetic that every layer does on registers and
 * addresses.
 *
 * Pure; owns nothing.
 */
#ifndef HYMIR_LIB_BITS_H
#define HYMIR_LIB_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The 64-bit value with only bit n set, n from 0 to 63. */
#define BIT(n) (UINT64_C(1) << (n))

/* The field value[high:low], shifted down, as the SDM writes it; 63 >= high >= low. */
#define BITS_GET(value, high, low) \
    (((uint64_t)(value) >> (low)) & (UINT64_MAX >> (63 - (high) + (low))))

/* The bits high to low, both included; 63 >= high >= low. */
#define BITS_MASK(high, low) (UINT64_MAX >> (63 - (high)) & UINT64_MAX << (low))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define PAGE_SIZE UINT64_C(4096)

/* Rounds value down to a multiple of alignment, a power of two. */
static inline uint64_t align_down(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

/*
 * Rounds value up to a multiple of alignment, a power of two. A value less than one
 * alignment below 2^64 has no such multiple: the result is then the largest multiple that
 * a uint64_t holds.
 */
static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
    uint64_t rounded = align_down(value + (alignment - 1), alignment);
    return rounded < value ? align_down(UINT64_MAX, alignment) : rounded;
}

static inline bool is_aligned(uint64_t value, uint64_t alignment)
{
    return (value & (alignment - 1)) == 0;
}

/* The end of a range, start + size, held at 2^64 - 1 where it would wrap around. */
static inline uint64_t range_end(uint64_t start, uint64_t size)
{
    return size > UINT64_MAX - start ? UINT64_MAX : start + size;
}

#endif
