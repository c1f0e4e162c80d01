/*
 * Time as ticks of a clock, and the same time as ticks of another one.
 */
#ifndef HYMIR_LIB_TICKS_H
#define HYMIR_LIB_TICKS_H

#include <stdint.h>

/* A moment that never comes, though differences to it are still signed numbers. */
#define TICKS_NEVER UINT64_C(0x7FFFFFFFFFFFFFFF)

/*
 * The ticks of a clock of to_hz that have passed when ticks of one of from_hz have: the
 * last of them whole. Exact, so that what is added up does not drift. from_hz * to_hz
 * must be below 2^64, and the result too.
 */
static inline uint64_t ticks_convert(uint64_t ticks, uint64_t from_hz, uint64_t to_hz)
{
    return ticks / from_hz * to_hz + ticks % from_hz * to_hz / from_hz;
}

/*
 * The first tick of a clock of to_hz at which ticks_convert back gives ticks: TICKS_NEVER
 * stays what it is. The same limits.
 */
static inline uint64_t ticks_until(uint64_t ticks, uint64_t from_hz, uint64_t to_hz)
{
    if (ticks == TICKS_NEVER)
        return TICKS_NEVER;
    uint64_t part = ticks % from_hz * to_hz;
    return ticks / from_hz * to_hz + part / from_hz + (part % from_hz != 0 ? 1 : 0);
}

/*
 * ticks_convert for who asks often: ticks_scale with a factor that is made once. from_hz
 * is above half of to_hz and below 2^48. It is never behind ticks_convert, and ahead
 * by at most ticks / 2^63 of a tick.
 */
static inline uint64_t ticks_factor(uint64_t from_hz, uint64_t to_hz)
{
    uint64_t factor = 2 * to_hz / from_hz; /* of 2^63, by long division */
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
