/* src/platform/tsc_frequency.c: samples of clocks, and what processors report. */
#include "unit.h"

#include "lib/bits.h"
#include "platform/tsc_frequency.h"

#define MHZ UINT64_C(1000000)

static const struct reference_clock pm_timer = {"the ACPI PM timer", 3579545, 0xFFFFFF,
                                                NULL};
static const struct reference_clock pit      = {"the 8254", 1193182, 0xFFFF, NULL};

/* Returns the sample of a clock at a time, on a machine with a TSC of hz. */
static struct clock_sample sample_at(const struct reference_clock *clock, uint64_t hz,
                                     double seconds)
{
    return (struct clock_sample){
        .ticks = (uint64_t)((double)hz * seconds),
        .width = hz / 1000000,
        .count = (uint64_t)((double)clock->hz * seconds) & clock->mask,
    };
}

static struct tsc_frequency measure(const struct reference_clock *clock, uint64_t hz,
                                    double start, double seconds, uint64_t rough)
{
    struct clock_sample first = sample_at(clock, hz, start);
    struct clock_sample last  = sample_at(clock, hz, start + seconds);
    uint64_t passed           = reference_clock_passed(clock, &first, &last, rough);
    return tsc_frequency_measure(clock, &first, &last, passed);
}

static void assert_within(uint64_t hz, const struct tsc_frequency *measured)
{
    if (!tsc_frequency_agrees(hz, measured->hz, measured->uncertainty_ppm))
        fail_msg("%lu instead of %lu, not within %u ppm", measured->hz, hz,
                 measured->uncertainty_ppm);
}

/* The uncertainty holds, and shrinks with time; clocks may wrap any number of times. */
static void test_measure(void **state)
{
    (void)state;
    static const uint64_t speeds[] = {10 * MHZ, 2592 * MHZ, 3504 * MHZ, 10000 * MHZ};
    static const struct reference_clock *const clocks[] = {&pm_timer, &pit};
    for (size_t i = 0; i < ARRAY_SIZE(speeds) * 2; i++) {
        uint64_t hz = speeds[i / 2];
        for (double start = 0.001; start < 10; start *= 1.7) {
            struct tsc_frequency m = measure(clocks[i % 2], hz, start, 0.01, 0);
            assert_within(hz, &m);
            assert_true(m.uncertainty_ppm < 250);
            for (double seconds = 0.05; seconds < 90; seconds *= 1.9) {
                /* A first measurement that is 200 ppm wrong is good enough. */
                m = measure(clocks[i % 2], hz, start, seconds, hz + hz / 5000);
                assert_within(hz, &m);
                assert_true(m.uncertainty_ppm <= 2.5 / seconds + 1);
                assert_string_equal(m.reference, clocks[i % 2]->name);
            }
        }
    }
}

/* A clock that does not count, or a TSC that cannot be that fast or slow. */
static void test_implausible(void **state)
{
    (void)state;
    struct clock_sample first = {.count = 5}, last = {.ticks = 1000000, .count = 5};
    struct tsc_frequency m = tsc_frequency_measure(&pit, &first, &last, 0);
    assert_int_equal(m.hz, 0);
    assert_int_equal(m.uncertainty_ppm, TSC_UNCERTAINTY_UNKNOWN);
    m = tsc_frequency_measure(&pit, &first, &last, 1);
    assert_int_equal(m.hz, 0);
    m = tsc_frequency_measure(&pit, &first, &last, 10000000);
    assert_int_equal(m.hz, 0);
}

static struct cpuid_snapshot snapshot;

static int start_snapshot(void **state)
{
    (void)state;
    memset(&snapshot, 0, sizeof(snapshot));
    return 0;
}

static void assert_chosen(uint64_t measured_hz, uint32_t ppm, uint64_t hz,
                          uint32_t expected_ppm, const char *source)
{
    TEXT_DECLARE(text, 160);
    const struct tsc_frequency measured = {
        .hz = measured_hz, .uncertainty_ppm = ppm, .reference = "the HPET"};
    struct tsc_frequency chosen = tsc_frequency_choose(&snapshot, &measured);
    tsc_frequency_describe(&chosen, &text);
    assert_int_equal(chosen.hz, hz);
    assert_int_equal(chosen.uncertainty_ppm, expected_ppm);
    assert_string_equal(text.buffer, source);
}

#define UNKNOWN                                                                         \
    "unknown: no reference clock, and nothing reports it; 10000 MHz is assumed: waits " \
    "may last longer, and guests' clocks run slow"
#define MEASURED  "measured with the HPET"
#define CONFIRMED "reported by CPUID leaf 0x15, confirmed with the HPET"

#define BY_MODEL \
    "reported by CPUID leaf 0x15 and the crystal of this model, not confirmed"

/* A report counts as exact only if a measurement agrees. */
static void test_leaf_15(void **state)
{
    (void)state;
    snapshot.leaf_15 = (struct cpuid_result){2, 292, 24000000, 0};
    snapshot.leaf_16 = (struct cpuid_result){3500, 4500, 100, 0};
    assert_chosen(3504 * MHZ, 20, 3504 * MHZ, 0, CONFIRMED);
    assert_chosen(3504700000, 20, 3504 * MHZ, 0, CONFIRMED);
    assert_chosen(3504 * MHZ + 1000000, 20, 3505 * MHZ, 20, MEASURED);
    /* An emulator with a real processor's CPUID. */
    assert_chosen(50 * MHZ, 20, 50 * MHZ, 20, MEASURED);
    /* A measurement that could confirm anything. */
    assert_chosen(3504 * MHZ, 501, 3504 * MHZ, 501, MEASURED);
    assert_chosen(0, TSC_UNCERTAINTY_UNKNOWN, 3504 * MHZ, TSC_UNCERTAINTY_UNKNOWN,
                  "reported by CPUID leaf 0x15, not confirmed");
}

/* A Skylake with a ratio but no crystal: leaf 16H says 2600 MHz, the TSC has 2592. */
static void test_crystals(void **state)
{
    (void)state;
    snapshot.leaf_15 = (struct cpuid_result){2, 216, 0, 0};
    snapshot.leaf_16 = (struct cpuid_result){2600, 3500, 100, 0};
    assert_chosen(2592100000, 20, 2592 * MHZ, 0, CONFIRMED);
    assert_chosen(2700 * MHZ, 20, 2700 * MHZ, 0, CONFIRMED);
    assert_chosen(2600 * MHZ, 20, 2600 * MHZ, 20, MEASURED);
    assert_chosen(0, 0, 2600 * MHZ, TSC_UNCERTAINTY_UNKNOWN,
                  "reported by CPUID leaf 0x16, not confirmed");
    snapshot.leaf_15 = (struct cpuid_result){3, 171, 0, 0}; /* Goldmont */
    assert_chosen(1094400000, 20, 1094400000, 0, CONFIRMED);
}

/* Without a measurement, the crystal of the model gives the ratio a frequency. */
static void test_models(void **state)
{
    (void)state;
    static const struct {
        uint32_t signature, denominator, numerator;
        uint64_t hz;
    } models[] = {
        {0x506E3, 2, 292, 3504 * MHZ}, /* Skylake: Core i7-6700K */
        {0x906E9, 2, 350, 4200 * MHZ}, /* Kaby Lake: Core i7-7700K */
        {0x506C9, 3, 171, 1094400000}, /* Apollo Lake */
        {0x506F1, 1, 88, 2200 * MHZ},  /* Denverton */
        {0x706A1, 3, 171, 1094400000}, /* Gemini Lake */
    };
    snapshot.leaf_0 = (struct cpuid_result){0x15, 0x756E6547, 0x6C65746E, 0x49656E69};
    for (size_t i = 0; i < ARRAY_SIZE(models); i++) {
        snapshot.leaf_1.eax = models[i].signature;
        snapshot.leaf_15 =
            (struct cpuid_result){models[i].denominator, models[i].numerator, 0, 0};
        assert_chosen(0, 0, models[i].hz, TSC_UNCERTAINTY_UNKNOWN, BY_MODEL);
    }
    snapshot.leaf_16.eax = 1100; /* is rounded: the crystal is better */
    assert_chosen(0, 0, 1094400000, TSC_UNCERTAINTY_UNKNOWN, BY_MODEL);
    snapshot.leaf_1.eax = 0x50654; /* Skylake-X: 24 or 25 MHz */
    assert_chosen(0, 0, 1100 * MHZ, TSC_UNCERTAINTY_UNKNOWN,
                  "reported by CPUID leaf 0x16, not confirmed");
    snapshot.leaf_16.eax = 0;
    assert_chosen(0, 0, 0, TSC_UNCERTAINTY_UNKNOWN, UNKNOWN);
    snapshot.leaf_1.eax = 0x506E3;
    snapshot.leaf_0.ebx = 0x68747541; /* not Intel's */
    assert_chosen(0, 0, 0, TSC_UNCERTAINTY_UNKNOWN, UNKNOWN);
}

static void test_others(void **state)
{
    (void)state;
    assert_chosen(2000 * MHZ, 20, 2000 * MHZ, 20, MEASURED);
    assert_chosen(0, 0, 0, TSC_UNCERTAINTY_UNKNOWN, UNKNOWN);
    snapshot.leaf_40000010.eax = 2000100;
    assert_chosen(2000 * MHZ, 20, 2000100000, 0,
                  "reported by the outer hypervisor, confirmed with the HPET");
    assert_chosen(0, 0, 2000100000, TSC_UNCERTAINTY_UNKNOWN,
                  "reported by the outer hypervisor, not confirmed");
    assert_chosen(1000 * MHZ, 20, 1000 * MHZ, 20, MEASURED);
    snapshot.leaf_40000010.eax = UINT32_MAX; /* implausible */
    snapshot.leaf_15           = (struct cpuid_result){UINT32_MAX, UINT32_MAX, 1, 0};
    assert_chosen(0, 0, 0, TSC_UNCERTAINTY_UNKNOWN, UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_measure),
        cmocka_unit_test(test_implausible),
        cmocka_unit_test_setup(test_leaf_15, start_snapshot),
        cmocka_unit_test_setup(test_crystals, start_snapshot),
        cmocka_unit_test_setup(test_models, start_snapshot),
        cmocka_unit_test_setup(test_others, start_snapshot),
    };
    return cmocka_run_group_tests_name("tsc_frequency", tests, NULL, NULL);
}
