/*
 * A sample of measured times in three numbers. Pure.
 */
#ifndef HYMIR_LIB_STATISTICS_H
#define HYMIR_LIB_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

/* Nine in ten samples lie from low to high, and half of them below the median. */
struct statistics {
    uint32_t count;
    uint32_t low, median, high;
};

/* Of count samples, which are sorted on the way; all zero of none. */
struct statistics statistics_of(uint32_t *samples, uint32_t count);

#endif
