/* See statistics.h. */
#include "lib/statistics.h"

/* Shell's sort with the gaps of Knuth's sequence, 1, 4, 13 and so on. */
static void sort(uint32_t *samples, uint32_t count)
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

/* The sample at so many hundredths of the way from the first to the last. */
static uint32_t at_hundredth(const uint32_t *samples, uint32_t count, uint32_t hundredth)
{
    return samples[(uint64_t)(count - 1) * hundredth / 100];
}

struct statistics statistics_of(uint32_t *samples, uint32_t count)
{
    if (count == 0)
        return (struct statistics){0};
    sort(samples, count);
    return (struct statistics){.count  = count,
                               .low    = at_hundredth(samples, count, 5),
                               .median = at_hundredth(samples, count, 50),
                               .high   = at_hundredth(samples, count, 95)};
}
