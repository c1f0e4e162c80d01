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

struct statistics statistics_of(uint32_t *samples, uint32_t count)
{
    if (count == 0)
        return (struct statistics){0};
    sort_samples(samples, count);
    uint64_t last = count - 1;
    return (struct statistics){.count  = count,
                               .low    = samples[last * 5 / 100],
                               .median = samples[last / 2],
                               .high   = samples[last * 95 / 100]};
}
