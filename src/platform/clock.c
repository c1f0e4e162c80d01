/* See clock.h. */
#include "platform/clock.h"

#include "x86/pit_8254.h"

/* Low then high byte, mode 0: OUT rises at zero. */
#define PIT_COUNTER_2_MODE_0 0xB0

#define CALIBRATION_PIT_TICKS 11932
#define CALIBRATIONS_A_SECOND 100

/* A frequency outside these bounds is an error; emulators need the lower one. */
#define SLOWEST_TSC_HZ UINT64_C(500000)
#define FASTEST_TSC_HZ UINT64_C(20000000000)
#define ASSUMED_TSC_HZ UINT64_C(10000000000)

static uint64_t frequency = ASSUMED_TSC_HZ;
static const char *source = "assumed: no reference clock";

/*
 * Measures the TSC while counter 2 counts 10 ms. Returns 0 if it does not count, as on
 * machines that gate the 8254's clock; the wait is limited to what the fastest plausible
 * TSC takes. An interruption can only make the result too high, and waits too long.
 */
static uint64_t measure_once(void)
{
    uint8_t port_b = io_in8(PORT_B);
    uint64_t ticks = 0;

    io_out8(PORT_B, (uint8_t)((port_b & ~PORT_B_SPEAKER) | PORT_B_GATE_2));
    io_out8(PIT_PORT_CONTROL, PIT_COUNTER_2_MODE_0);
    io_out8(PIT_PORT_COUNTER_2, CALIBRATION_PIT_TICKS % 256);
    uint64_t start = rdtsc();
    io_out8(PIT_PORT_COUNTER_2, CALIBRATION_PIT_TICKS / 256);
    bool is_counting = (io_in8(PORT_B) & PORT_B_OUTPUT_2) == 0;
    bool is_done     = false;
    while (is_counting && !is_done && ticks <= FASTEST_TSC_HZ / CALIBRATIONS_A_SECOND) {
        is_done = (io_in8(PORT_B) & PORT_B_OUTPUT_2) != 0;
        ticks   = rdtsc() - start;
    }
    io_out8(PORT_B, port_b);
    return is_done ? ticks * PIT_HZ / CALIBRATION_PIT_TICKS : 0;
}

/* Returns the lowest of three measurements, or 0. */
static uint64_t measure_against_pit(void)
{
    uint64_t lowest = measure_once();
    /* Without an 8254 (0), more attempts would only take time. */
    for (int i = 1; i < 3 && lowest != 0; i++) {
        uint64_t hz = measure_once();
        if (hz < lowest)
            lowest = hz;
    }
    return lowest;
}

/*
 * SDM 2, "CPUID": leaf 15H has the crystal's frequency in ECX and the TSC's ratio to it
 * in EBX / EAX. If ECX is 0, the TSC runs at the base frequency of leaf 16H, in MHz.
 */
static uint64_t cpuid_frequency(const struct cpuid_snapshot *snapshot)
{
    const struct cpuid_result *leaf = &snapshot->leaf_15;
    if (leaf->eax == 0 || leaf->ebx == 0)
        return 0;
    if (leaf->ecx == 0)
        return BITS_GET(snapshot->leaf_16.eax, 15, 0) * 1000000;
    return (uint64_t)leaf->ecx * leaf->ebx / leaf->eax;
}

void clock_init(const struct cpuid_snapshot *snapshot)
{
    const struct {
        const char *source;
        uint64_t hz;
    } candidates[] = {
        {"measured with the 8254", measure_against_pit()},
        {"reported by the outer hypervisor",
         UINT64_C(1000) * snapshot->leaf_40000010.eax},
        {"reported by CPUID leaves 0x15 and 0x16", cpuid_frequency(snapshot)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
        if (candidates[i].hz >= SLOWEST_TSC_HZ && candidates[i].hz <= FASTEST_TSC_HZ) {
            frequency = candidates[i].hz;
            source    = candidates[i].source;
            return;
        }
    }
}

const char *clock_source(void)
{
    return source;
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
