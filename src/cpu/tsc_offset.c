/* See tsc_offset.h. */
#include "cpu/tsc_offset.h"

void tsc_offset_add(struct tsc_offset *offset, uint64_t before, uint64_t other,
                    uint64_t after)
{
    int64_t least = (int64_t)(other - after);
    int64_t most  = (int64_t)(other - before);

    if (offset->rounds == 0 || least > offset->least)
        offset->least = least;
    if (offset->rounds == 0 || most < offset->most)
        offset->most = most;
    offset->rounds++;
}

enum tsc_synchrony tsc_offset_synchrony(const struct tsc_offset *offset)
{
    if (offset->rounds == 0)
        return TSC_NOT_COMPARED;
    if (offset->least > offset->most)
        return TSC_DRIFTS;
    return offset->least <= 0 && offset->most >= 0 ? TSC_IN_STEP : TSC_NOT_IN_STEP;
}

int64_t tsc_offset_ticks(const struct tsc_offset *offset)
{
    uint64_t least = (uint64_t)offset->least, most = (uint64_t)offset->most;
    return (int64_t)(least + (most - least) / 2);
}

uint64_t tsc_offset_error(const struct tsc_offset *offset)
{
    return ((uint64_t)offset->most - (uint64_t)offset->least + 1) / 2;
}

void tsc_offset_describe(const struct tsc_offset *offset, struct text *text)
{
    enum tsc_synchrony synchrony = tsc_offset_synchrony(offset);
    int64_t ticks                = tsc_offset_ticks(offset);
    uint64_t distance            = ticks < 0 ? 0 - (uint64_t)ticks : (uint64_t)ticks;

    if (synchrony == TSC_NOT_IN_STEP)
        text_append(text, "%lu ticks %s cpu 0's, within %lu", distance,
                    ticks < 0 ? "behind" : "ahead of", tsc_offset_error(offset));
    else if (synchrony == TSC_DRIFTS)
        text_append(text, "not at the rate of cpu 0's");
    else if (synchrony == TSC_IN_STEP)
        text_append(text, "in step with cpu 0's, within %lu ticks",
                    tsc_offset_error(offset));
    else
        text_append(text, "not compared with cpu 0's");
}
