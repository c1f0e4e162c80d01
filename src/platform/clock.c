/* See clock.h. */
#include "platform/clock.h"

#include "lib/log.h"
#include "platform/reference_clocks.h"

/* The first measurement lasts a hundredth of a second, the second at least 50 ms. */
#define SHORT_MEASUREMENTS_A_SECOND 100
#define MEASUREMENT_US              50000

/* The measurements differ by more only if one of the clocks is wrong. */
#define MEASUREMENTS_PPM 10000

static const struct cpuid_snapshot *cpu;
static struct tsc_frequency known; /* hz 0: nothing is */
static uint64_t frequency = ASSUMED_TSC_HZ;

static const struct reference_clock *reference; /* of the measurement; NULL: none */
static struct clock_sample first;

static void set_frequency(const struct tsc_frequency *measured)
{
    known     = tsc_frequency_choose(cpu, measured);
    frequency = known.hz != 0 ? known.hz : ASSUMED_TSC_HZ;
}

/*
 * Measures the TSC while a clock counts for 10 ms. Gives up, with hz 0, after the time
 * that this takes with the fastest TSC, as on machines that gate the 8254.
 */
static struct tsc_frequency measure_shortly(const struct reference_clock *clock)
{
    struct clock_sample start = reference_clock_sample(clock), end;
    uint64_t passed;

    do {
        end    = reference_clock_sample(clock);
        passed = reference_clock_passed(clock, &start, &end, 0);
    } while (passed < clock->hz / SHORT_MEASUREMENTS_A_SECOND &&
             end.ticks - start.ticks <= FASTEST_TSC_HZ / SHORT_MEASUREMENTS_A_SECOND);
    return tsc_frequency_measure(clock, &start, &end, passed);
}

void clock_init(const struct cpuid_snapshot *snapshot)
{
    cpu = snapshot;
    pit_clock_start();
    struct tsc_frequency measured = measure_shortly(&pit_clock);
    set_frequency(&measured);
}

/* Returns the best clock, which counts, or NULL. */
static const struct reference_clock *choose_reference(const struct acpi *acpi)
{
    const struct reference_clock *listed = reference_clock_find(acpi);

    if (listed != NULL)
        return listed;
    return known.reference != NULL ? &pit_clock : reference_clock_find_unlisted();
}

void clock_begin_measurement(const struct acpi *acpi)
{
    reference = choose_reference(acpi);
    if (reference != &pit_clock)
        pit_clock_stop();
    if (reference != NULL && known.reference == NULL) {
        struct tsc_frequency measured = measure_shortly(reference);
        set_frequency(&measured);
    }
    if (known.hz == 0)
        log_warning("clock: the TSC's frequency is %s", clock_source());
    if (reference != NULL)
        first = reference_clock_sample(reference);
}

void clock_end_measurement(void)
{
    struct deadline deadline = deadline_in(MEASUREMENT_US);

    if (reference == NULL)
        return;
    deadline.start = first.ticks;
    while (!deadline_has_passed(&deadline))
        cpu_pause();
    struct clock_sample last = reference_clock_sample(reference);
    uint64_t passed = reference_clock_passed(reference, &first, &last, frequency);
    struct tsc_frequency measured =
        tsc_frequency_measure(reference, &first, &last, passed);
    if (tsc_frequency_agrees(frequency, measured.hz, MEASUREMENTS_PPM))
        set_frequency(&measured);
    else
        log_warning("clock: by %s, the TSC runs at %lu kHz, otherwise at %lu kHz; the "
                    "latter is used",
                    reference->name, measured.hz / 1000, frequency / 1000);
    if (reference == &pit_clock)
        pit_clock_stop();
}

const char *clock_source(void)
{
    static char source[160];
    struct text text = {.buffer = source, .size = sizeof(source)};
    tsc_frequency_describe(&known, &text);
    return source;
}

const struct tsc_frequency *clock_tsc(void)
{
    return &known;
}

uint64_t clock_frequency(void)
{
    return frequency;
}

struct deadline deadline_in(uint32_t timeout_us)
{
    /* 2^32 us * 20 GHz would overflow: seconds and microseconds are converted apart. */
    uint64_t ticks =
        timeout_us / 1000000 * frequency + timeout_us % 1000000 * frequency / 1000000;
    return (struct deadline){.start = rdtsc(), .ticks = ticks};
}

bool deadline_has_passed(const struct deadline *deadline)
{
    return rdtsc() - deadline->start > deadline->ticks;
}

void clock_wait(uint32_t time_us)
{
    struct deadline deadline = deadline_in(time_us);
    while (!deadline_has_passed(&deadline))
        cpu_pause();
}
