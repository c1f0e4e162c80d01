/* Summarizes measured times by three percentiles. Pure. */
#ifndef HYMIR_LIB_STATISTICS_H
#define HYMIR_LIB_STATISTICS_H

#include <stdint.h>

struct statistics {
    uint32_t count;
    uint32_t low, median, high; /* the 5th, 50th and 95th percentile */
};

/* Computes statistics of count samples, sorting them in place; all zero if count is 0. */
struct statistics statistics_of(uint32_t *samples, uint32_t count);

#endif
