/* See statistics.h. */
#include "lib/statistics.h"

/* Sorts by Shell sort with Knuth's gaps: 1, 4, 13 and so on. */
static void sort_samples(uint32_t *samples, uint32_t count)
{
    uint32_t gap = 1;

    while (gap < count / 3)
        gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3) {
        for (uint32_t i = gap; i < count; i++) {
            uint32_t sample = samples[i];
            uint32_t hole   = i;
            for (; hole >= gap && samples[hole - gap] > sample; hole -= gap)
                samples[hole] = samples[hole - gap];
            samples[hole] = sample;
        }
    }
}

/* Returns a percentile of sorted samples. */
static uint32_t percentile(const uint32_t *samples, uint32_t count, uint32_t percent)
{
    return samples[(uint64_t)(count - 1) * percent / 100];
}

struct statistics statistics_of(uint32_t *samples, uint32_t count)
{
    if (count == 0)
        return (struct statistics){0};
    sort_samples(samples, count);
    return (struct statistics){.count  = count,
                               .low    = percentile(samples, count, 5),
                               .median = percentile(samples, count, 50),
                               .high   = percentile(samples, count, 95)};
}
