/* See stopwatch.h. */
#include "check/stopwatch.h"

#include "cpu/instructions.h"
#include "platform/clock.h"

#define ROW_TIMEOUT_US 50000

static bool execute_nothing(struct trial *trial)
{
    (void)trial;
    return true;
}

/* Measures the execution of an instruction. */
static bool run_rounds(const struct timing_row *row, struct trial *trial,
                       struct stopwatch *stopwatch)
{
    bool succeeded;
    uint64_t end;

    do {
        stopwatch->start = rdtsc();
        succeeded        = row->execute(trial);
        end              = rdtsc();
    } while (succeeded && stopwatch_add_round(stopwatch, end));
    return succeeded;
}

static struct statistics measure(const struct timing_row *row, struct trial *trial)
{
    uint8_t *pages             = trial->pages;
    size_t last_page           = trial->record.virtualization->trial_pages - 1;
    uint64_t ticks             = clock_frequency() / 1000000 * ROW_TIMEOUT_US;
    struct stopwatch stopwatch = {.samples = (uint32_t *)(pages + last_page * PAGE_SIZE),
                                  .until   = rdtsc() + ticks};

    _Static_assert(TIMING_ROUNDS * sizeof(uint32_t) <= PAGE_SIZE,
                   "samples fit in a page");
    bool exists    = row->exists == NULL || row->exists(&trial->record);
    bool succeeded = exists && (row->execute != NULL ? run_rounds(row, trial, &stopwatch)
                                                     : row->run(trial, &stopwatch));
    return statistics_of(stopwatch.samples, succeeded ? stopwatch.count : 0);
}

static uint32_t subtract(uint32_t ticks, uint32_t overhead)
{
    return ticks > overhead ? ticks - overhead : 0;
}

void stopwatch_run(struct trial *trial)
{
    static const struct timing_row nothing      = {.execute = execute_nothing};
    const struct virtualization *virtualization = trial->record.virtualization;
    struct statistics *row                      = trial->record.timings.row;

    for (size_t i = 0; i < virtualization->timing_count; i++)
        row[i] = measure(&virtualization->timings[i], trial);
    uint32_t overhead = measure(&nothing, trial).median; /* of the two RDTSCs */
    for (size_t i = 0; i < virtualization->timing_count; i++) {
        row[i].low    = subtract(row[i].low, overhead);
        row[i].median = subtract(row[i].median, overhead);
        row[i].high   = subtract(row[i].high, overhead);
    }
}
