/* See reference_clocks.h. */
#include "platform/reference_clocks.h"

#include "mm/address_space.h"
#include "x86/hpet.h"
#include "x86/pit_8254.h"
#include "x86/power_control.h"

/* An access may be delayed, as by system-management mode: the fastest counts. */
#define SAMPLES 5

/* Reads to try until a counter has changed, at most a millisecond. */
#define COUNTING_READS 1000

#define FS_PER_S        UINT64_C(1000000000000000)
#define PM_TIMER_24_BIT BITS_MASK(23, 0)

static struct clock_sample sample_of(uint64_t start, uint64_t end, uint64_t count)
{
    return (struct clock_sample){
        .ticks = start + (end - start) / 2, .width = end - start, .count = count};
}

struct clock_sample reference_clock_sample(const struct reference_clock *clock)
{
    struct clock_sample best = clock->sample();

    for (int i = 1; i < SAMPLES; i++) {
        struct clock_sample sample = clock->sample();
        if (sample.width < best.width)
            best = sample;
    }
    return best;
}

/* ---- The 8254 */

/* The command that latches the count is the access; reading it may take longer. */
static struct clock_sample sample_pit(void)
{
    uint64_t start = rdtsc_ordered();
    io_out8(PIT_PORT_CONTROL, PIT_COUNTER_2_LATCH);
    uint64_t end  = rdtsc_ordered();
    uint8_t low   = io_in8(PIT_PORT_COUNTER_2);
    uint8_t high  = io_in8(PIT_PORT_COUNTER_2);
    uint64_t down = (uint64_t)high << 8 | low;
    return sample_of(start, end, UINT16_MAX - down);
}

const struct reference_clock pit_clock = {"the 8254", PIT_HZ, UINT16_MAX, sample_pit};

static uint8_t found_port_b;

void pit_clock_start(void)
{
    found_port_b = io_in8(PORT_B);
    io_out8(PORT_B, (uint8_t)((found_port_b & ~PORT_B_SPEAKER) | PORT_B_GATE_2));
    io_out8(PIT_PORT_CONTROL, PIT_COUNTER_2_MODE_2);
    io_out8(PIT_PORT_COUNTER_2, 0); /* 65536 */
    io_out8(PIT_PORT_COUNTER_2, 0);
}

void pit_clock_stop(void)
{
    io_out8(PORT_B, found_port_b);
}

/* ---- The ACPI power management timer, and the HPET */

static struct platform_register pm_timer;
static volatile uint8_t *hpet;

static struct clock_sample sample_pm_timer(void)
{
    uint64_t start = rdtsc_ordered();
    uint32_t count = pm_timer.space == REGISTER_IO
                         ? io_in32((uint16_t)pm_timer.address)
                         : *(volatile uint32_t *)(uintptr_t)pm_timer.address;
    return sample_of(start, rdtsc_ordered(), count);
}

static volatile uint32_t *hpet_register(enum hpet_register offset)
{
    return (volatile uint32_t *)(hpet + offset);
}

static struct clock_sample sample_hpet(void)
{
    uint64_t start = rdtsc_ordered();
    uint32_t count = *hpet_register(HPET_MAIN_COUNTER);
    return sample_of(start, rdtsc_ordered(), count);
}

/* Returns whether the clock counts at all: registers that are not there read constant. */
static bool is_counting(const struct reference_clock *clock)
{
    uint64_t first = clock->sample().count;

    for (int i = 0; i < COUNTING_READS; i++) {
        if (((clock->sample().count ^ first) & clock->mask) != 0)
            return true;
    }
    return false;
}

static bool start_pm_timer(const struct acpi_timers *timers,
                           struct reference_clock *clock)
{
    pm_timer = timers->pm_timer;
    if (pm_timer.space == REGISTER_MEMORY &&
        address_space_map_device(pm_timer.address, sizeof(uint32_t)) == NULL)
        return false;
    *clock = (struct reference_clock){
        "the ACPI PM timer", PM_TIMER_HZ,
        timers->is_pm_timer_32_bit ? UINT32_MAX : PM_TIMER_24_BIT, sample_pm_timer};
    return pm_timer.space != REGISTER_NONE && is_counting(clock);
}

static bool start_hpet(uint64_t address, struct reference_clock *clock)
{
    if (address == 0)
        return false;
    hpet = address_space_map_device(address, HPET_REGISTERS_SIZE);
    if (hpet == NULL)
        return false;
    uint32_t period_fs = hpet_register(HPET_CAPABILITIES)[1];
    if (!hpet_period_is_valid(period_fs))
        return false;
    *hpet_register(HPET_CONFIGURATION) |= (uint32_t)HPET_CONFIGURATION_ENABLE;
    *clock = (struct reference_clock){"the HPET", FS_PER_S / period_fs, UINT32_MAX,
                                      sample_hpet};
    return is_counting(clock);
}

const struct reference_clock *reference_clock_find(const struct acpi *acpi)
{
    static struct reference_clock clock;
    struct acpi_timers timers;

    if (acpi == NULL)
        return NULL;
    acpi_find_timers(acpi, &timers);
    return start_pm_timer(&timers, &clock) || start_hpet(timers.hpet, &clock) ? &clock
                                                                              : NULL;
}

const struct reference_clock *reference_clock_find_unlisted(void)
{
    static struct reference_clock clock;

    return start_hpet(HPET_USUAL_ADDRESS, &clock) ? &clock : NULL;
}
