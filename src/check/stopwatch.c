/* See stopwatch.h. */
#include "check/stopwatch.h"

#include "cpu/instructions.h"
#include "platform/clock.h"

#define ROW_TIMEOUT_US 50000

/* Executions of an instruction in a round: one may cost less than a read of the TSC. */
#define REPEATS 8U

static bool execute_nothing(struct trial *trial)
{
    (void)trial;
    return true;
}

static bool execute_repeatedly(const struct timing_row *row, struct trial *trial,
                               uint32_t repeats)
{
    for (uint32_t i = 0; i < repeats; i++) {
        if (!row->execute(trial))
            return false;
    }
    return true;
}

/* Measures repeated executions. The fences keep them between the reads of the TSC. */
static bool run_rounds(const struct timing_row *row, struct trial *trial,
                       uint32_t repeats, struct stopwatch *stopwatch)
{
    bool succeeded;
    uint64_t end;

    do {
        stopwatch->start = rdtsc_ordered();
        succeeded        = execute_repeatedly(row, trial, repeats);
        end              = rdtsc_ordered();
    } while (succeeded && stopwatch_add_round(stopwatch, end));
    return succeeded;
}

static struct statistics measure(const struct timing_row *row, struct trial *trial,
                                 uint32_t repeats)
{
    uint8_t *pages             = trial->pages;
    size_t last_page           = trial->record.virtualization->trial_pages - 1;
    uint64_t ticks             = clock_frequency() / 1000000 * ROW_TIMEOUT_US;
    struct stopwatch stopwatch = {.samples = (uint32_t *)(pages + last_page * PAGE_SIZE),
                                  .until   = rdtsc() + ticks};

    _Static_assert(TIMING_ROUNDS * sizeof(uint32_t) <= PAGE_SIZE,
                   "samples fit in a page");
    bool exists = row->exists == NULL || row->exists(&trial->record);
    bool succeeded =
        exists && (row->run != NULL ? row->run(trial, &stopwatch)
                                    : run_rounds(row, trial, repeats, &stopwatch));
    return statistics_of(stopwatch.samples, succeeded ? stopwatch.count : 0);
}

/* Returns the ticks of one of count operations, without the overhead, rounded. */
static uint32_t ticks_each(uint32_t ticks, uint32_t overhead, uint32_t count)
{
    return ticks > overhead ? (ticks - overhead + count / 2) / count : 0;
}

void stopwatch_run(struct trial *trial)
{
    static const struct timing_row nothing      = {.execute = execute_nothing};
    const struct virtualization *virtualization = trial->record.virtualization;
    uint32_t of_tsc  = measure(&nothing, trial, 0).median; /* of reading it twice */
    uint32_t of_loop = measure(&nothing, trial, REPEATS).median;

    for (size_t i = 0; i < virtualization->timing_count; i++) {
        const struct timing_row *timed = &virtualization->timings[i];
        struct statistics *row         = &trial->record.timings.row[i];
        bool is_repeated               = timed->run == NULL;
        uint32_t overhead              = is_repeated ? of_loop : of_tsc;
        uint32_t count = !is_repeated ? 1 : timed->is_pair ? 2 * REPEATS : REPEATS;

        *row        = measure(timed, trial, REPEATS);
        row->low    = ticks_each(row->low, overhead, count);
        row->median = ticks_each(row->median, overhead, count);
        row->high   = ticks_each(row->high, overhead, count);
    }
}
