/* See tsc_frequency.h. */
#include "platform/tsc_frequency.h"

#include "lib/string.h"
#include "lib/ticks.h"

#define MILLION UINT64_C(1000000)

/* A measurement this uncertain confirms nothing. */
#define CONFIRMING_PPM 500

/* The most by which the crystals of two clocks differ. */
#define CRYSTALS_PPM 200

uint64_t reference_clock_passed(const struct reference_clock *clock,
                                const struct clock_sample *first,
                                const struct clock_sample *last, uint64_t hz)
{
    uint64_t passed = (last->count - first->count) & clock->mask;
    if (hz == 0)
        return passed;
    uint64_t expected = ticks_convert(last->ticks - first->ticks, hz, clock->hz);
    uint64_t limit    = expected + clock->mask / 2;
    return limit < passed ? passed : limit - ((limit - passed) & clock->mask);
}

static bool is_plausible(uint64_t hz)
{
    return hz >= SLOWEST_TSC_HZ && hz <= FASTEST_TSC_HZ;
}

struct tsc_frequency tsc_frequency_measure(const struct reference_clock *clock,
                                           const struct clock_sample *first,
                                           const struct clock_sample *last,
                                           uint64_t passed)
{
    uint64_t ticks = last->ticks - first->ticks;
    uint64_t hz    = passed == 0 ? 0 : ticks_convert(ticks, passed, clock->hz);
    if (!is_plausible(hz))
        return (struct tsc_frequency){.uncertainty_ppm = TSC_UNCERTAINTY_UNKNOWN};
    /* Each access may have read at its start or its end, and each count be almost one
     * more. */
    uint64_t error = (first->width + last->width) / 2 + hz / clock->hz;
    uint64_t ppm   = error * MILLION / ticks + 1;
    return (struct tsc_frequency){
        .hz              = hz,
        .uncertainty_ppm = (uint32_t)(ppm < MILLION ? ppm : MILLION),
        .reference       = clock->name,
    };
}

bool tsc_frequency_agrees(uint64_t hz, uint64_t other, uint64_t ppm)
{
    uint64_t difference = hz > other ? hz - other : other - hz;
    return difference * MILLION <= hz * ppm;
}

/* Returns the frequency that leaf 15H reports for a frequency of the crystal, or 0. */
static uint64_t leaf_15_frequency(const struct cpuid_snapshot *snapshot,
                                  uint64_t crystal_hz)
{
    const struct cpuid_result *leaf = &snapshot->leaf_15;
    return leaf->eax == 0 ? 0 : crystal_hz * leaf->ebx / leaf->eax;
}

/*
 * Returns the frequency of the crystal of processors whose leaf 15H does not report it,
 * or 0. SDM 3B, "Determining the Processor Base Frequency"; Linux 5.2,
 * arch/x86/kernel/tsc.c native_calibrate_tsc(); Goldmont Plus: Linux 6.0,
 * tools/power/x86/turbostat. Model 55H is missing because it has one of two crystals.
 */
static uint64_t crystal_of_model(const struct cpuid_snapshot *snapshot)
{
    static const struct {
        uint32_t model, hz;
    } crystals[] = {
        {0x4E, 24000000}, {0x5E, 24000000}, /* Skylake */
        {0x8E, 24000000}, {0x9E, 24000000}, /* Kaby Lake, Coffee Lake */
        {0x5C, 19200000},                   /* Goldmont: Apollo Lake */
        {0x5F, 25000000},                   /* Goldmont: Denverton */
        {0x7A, 19200000},                   /* Goldmont Plus: Gemini Lake */
    };
    struct cpuid_signature signature = cpuid_signature(snapshot);
    char vendor[CPUID_VENDOR_SIZE];

    cpuid_vendor(snapshot, vendor);
    if (strcmp(vendor, "GenuineIntel") != 0 || signature.family != 6)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(crystals); i++) {
        if (crystals[i].model == signature.model)
            return crystals[i].hz;
    }
    return 0;
}

struct report {
    uint64_t hz;
    const char *reporter;
};

#define LEAF_15 "CPUID leaf 0x15"

/*
 * Returns the report that the measurement confirms, or NULL. Some processors report the
 * ratio to their crystal but not its frequency: SDM 3B, "Determining the Processor Base
 * Frequency", lists the possible ones, which are too far apart to be confused.
 */
static const struct report *find_confirmed(const struct report *reports, size_t count,
                                           const struct tsc_frequency *measured)
{
    for (size_t i = 0; i < count; i++) {
        if (is_plausible(reports[i].hz) &&
            tsc_frequency_agrees(measured->hz, reports[i].hz,
                                 measured->uncertainty_ppm + CRYSTALS_PPM))
            return &reports[i];
    }
    return NULL;
}

/* Returns a report that nothing confirms, or hz 0. */
static struct tsc_frequency choose_unmeasured(const struct report *reports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_plausible(reports[i].hz))
            return (struct tsc_frequency){.hz              = reports[i].hz,
                                          .uncertainty_ppm = TSC_UNCERTAINTY_UNKNOWN,
                                          .reporter        = reports[i].reporter};
    }
    return (struct tsc_frequency){.uncertainty_ppm = TSC_UNCERTAINTY_UNKNOWN};
}

struct tsc_frequency tsc_frequency_choose(const struct cpuid_snapshot *snapshot,
                                          const struct tsc_frequency *measured)
{
    uint64_t crystal              = snapshot->leaf_15.ecx;
    uint64_t base                 = BITS_GET(snapshot->leaf_16.eax, 15, 0) * MILLION;
    const struct report reports[] = {
        {UINT64_C(1000) * snapshot->leaf_40000010.eax, "the outer hypervisor"},
        {leaf_15_frequency(snapshot, crystal), LEAF_15},
        {leaf_15_frequency(snapshot, crystal_of_model(snapshot)),
         LEAF_15 " and the crystal of this model"},
        {base, "CPUID leaf 0x16"},
    };
    const struct report exact[] = {
        reports[1],
        reports[0],
        {crystal == 0 ? leaf_15_frequency(snapshot, 24000000) : 0, LEAF_15},
        {crystal == 0 ? leaf_15_frequency(snapshot, 25000000) : 0, LEAF_15},
        {crystal == 0 ? leaf_15_frequency(snapshot, 19200000) : 0, LEAF_15},
    };
    if (!is_plausible(measured->hz))
        return choose_unmeasured(reports, ARRAY_SIZE(reports));
    const struct report *confirmed =
        measured->uncertainty_ppm > CONFIRMING_PPM
            ? NULL
            : find_confirmed(exact, ARRAY_SIZE(exact), measured);
    if (confirmed == NULL)
        return *measured;
    return (struct tsc_frequency){.hz        = confirmed->hz,
                                  .reporter  = confirmed->reporter,
                                  .reference = measured->reference};
}

void tsc_frequency_describe(const struct tsc_frequency *frequency, struct text *text)
{
    if (frequency->hz == 0)
        text_append(text,
                    "unknown: no reference clock, and nothing reports it; %lu MHz is "
                    "assumed: waits may last longer, and guests' clocks run slow",
                    ASSUMED_TSC_HZ / MILLION);
    else if (frequency->reporter == NULL)
        text_append(text, "measured with %s", frequency->reference);
    else if (frequency->reference == NULL)
        text_append(text, "reported by %s, not confirmed", frequency->reporter);
    else
        text_append(text, "reported by %s, confirmed with %s", frequency->reporter,
                    frequency->reference);
}
