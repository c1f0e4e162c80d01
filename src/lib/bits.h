/*
 * Bits, fields and alignment: arithmetic on registers and addresses for every layer.
 *
 * Pure; owns nothing.
 */
#ifndef HYMIR_LIB_BITS_H
#define HYMIR_LIB_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A 64-bit value with only bit n set, 0 to 63. */
#define BIT(n) (UINT64_C(1) << (n))

/* Extracts the field value[high:low] in SDM notation; 63 >= high >= low. */
#define BITS_GET(value, high, low) \
    (((uint64_t)(value) >> (low)) & (UINT64_MAX >> (63 - (high) + (low))))

/* A mask of bits high:low; 63 >= high >= low. */
#define BITS_MASK(high, low) (UINT64_MAX >> (63 - (high)) & UINT64_MAX << (low))

/* A mask of the low bytes of a value, 1 to 8. */
#define BYTES_MASK(count) (UINT64_MAX >> (64 - 8 * (count)))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define PAGE_SIZE UINT64_C(4096)

/* Rounds value down to a multiple of alignment, a power of two. */
static inline uint64_t align_down(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

/*
 * Rounds value up to a multiple of alignment, a power of two. If that multiple would be
 * 2^64, returns the largest multiple that fits in a uint64_t.
 */
static inline uint64_t align_up(uint64_t value, uint64_t alignment)
{
    uint64_t rounded = align_down(value + (alignment - 1), alignment);
    return rounded < value ? align_down(UINT64_MAX, alignment) : rounded;
}

/* Returns whether value is a multiple of alignment, a power of two. */
static inline bool is_aligned(uint64_t value, uint64_t alignment)
{
    return (value & (alignment - 1)) == 0;
}

/* Returns the sum of all bytes, modulo 256. */
static inline uint8_t byte_sum(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint8_t sum          = 0;

    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum;
}

/* Returns start + size, limited to 2^64 - 1 on overflow. */
static inline uint64_t range_end(uint64_t start, uint64_t size)
{
    return size > UINT64_MAX - start ? UINT64_MAX : start + size;
}

#endif
