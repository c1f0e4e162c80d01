/* Converts times between the ticks of two clocks. Pure. */
#ifndef HYMIR_LIB_TICKS_H
#define HYMIR_LIB_TICKS_H

#include <stdint.h>

/* The time "never": the largest that keeps differences representable as int64_t. */
#define TICKS_NEVER UINT64_C(0x7FFFFFFFFFFFFFFF)

/*
 * Converts ticks of from_hz to whole ticks of to_hz. Exact, so that repeated conversions
 * of a running total do not drift. from_hz * to_hz and the result must fit in 64 bits.
 */
static inline uint64_t ticks_convert(uint64_t ticks, uint64_t from_hz, uint64_t to_hz)
{
    return ticks / from_hz * to_hz + ticks % from_hz * to_hz / from_hz;
}

/*
 * Returns the first tick of to_hz that ticks_convert converts back to ticks. TICKS_NEVER
 * is returned unchanged. The limits of ticks_convert apply.
 */
static inline uint64_t ticks_until(uint64_t ticks, uint64_t from_hz, uint64_t to_hz)
{
    if (ticks == TICKS_NEVER)
        return TICKS_NEVER;
    uint64_t part = ticks % from_hz * to_hz;
    return ticks / from_hz * to_hz + part / from_hz + (part % from_hz != 0 ? 1 : 0);
}

/*
 * Precomputes the factor for ticks_scale, a fast ticks_convert. from_hz is more than half
 * of to_hz and below 2^48. The result is never below that of ticks_convert, and exceeds
 * the exact value by at most ticks / 2^63 of a tick.
 */
static inline uint64_t ticks_factor(uint64_t from_hz, uint64_t to_hz)
{
    uint64_t factor = 2 * to_hz / from_hz; /* in units of 2^-63, by long division */
    uint64_t rest   = 2 * to_hz % from_hz;

    for (int i = 0; i < 62; i++) {
        rest *= 2;
        factor = 2 * factor + (rest >= from_hz ? 1 : 0);
        rest   = rest >= from_hz ? rest - from_hz : rest;
    }
    return rest != 0 ? factor + 1 : factor;
}

static inline uint64_t ticks_scale(uint64_t ticks, uint64_t factor)
{
    return (uint64_t)((unsigned __int128)ticks * factor >> 63);
}

#endif
