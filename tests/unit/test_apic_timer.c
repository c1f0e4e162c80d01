/* src/platform/apic.c, included: the two timers of the boot CPU, on a simulated APIC. */
#include "unit.h"

/* Replaces src/cpu/instructions.h and the clock. */
#define HYMIR_CPU_INSTRUCTIONS_H
#define HYMIR_PLATFORM_CLOCK_H
#include "lib/bits.h"
#include "x86/cpuid.h"

#define FAULT_NONE 0U
#define TSC_HZ     UINT64_C(3000000000)

static uint64_t tsc;
static void *current_cpu;

static uint64_t rdtsc(void)
{
    return tsc;
}
static void *read_gs_pointer(void)
{
    return current_cpu;
}
static uint64_t rdmsr(uint32_t index)
{
    (void)index;
    return 0;
}
static void wrmsr(uint32_t index, uint64_t value)
{
    (void)index, (void)value;
}
static uint32_t wrmsr_safe(uint32_t index, uint64_t value)
{
    (void)index, (void)value;
    return FAULT_NONE;
}
static uint32_t rdmsr_safe(uint32_t index, uint64_t *value)
{
    (void)index;
    *value = 0;
    return FAULT_NONE;
}
static struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)leaf, (void)subleaf;
    return (struct cpuid_result){0};
}
static void memory_fence(void)
{
}
static void cpu_pause(void)
{
}
struct deadline {
    uint64_t end;
};
static struct deadline deadline_in(uint32_t timeout_us)
{
    return (struct deadline){timeout_us};
}
static bool deadline_has_passed(const struct deadline *deadline)
{
    (void)deadline;
    return true;
}
static uint64_t clock_frequency(void)
{
    return TSC_HZ;
}
static void clock_wait(uint32_t time_us);

#include "../../src/platform/apic.c"

struct cpu boot_cpu;
static struct cpu other_cpu;
static uint32_t registers[0x400];

volatile void *address_space_map_device(uint64_t address, uint64_t size)
{
    (void)address, (void)size;
    return NULL;
}

/* The timer runs at a thirtieth of the TSC's frequency. */
#define RATIO 30

static void clock_wait(uint32_t time_us)
{
    registers[APIC_CURRENT_COUNT / 4] -= (uint32_t)(TSC_HZ / RATIO / 1000000 * time_us);
}

static int start(void **state)
{
    (void)state;
    base_address = (uintptr_t)registers;
    is_enabled   = true;
    current_cpu  = &boot_cpu;
    tsc          = 1000000;
    alarm_time = poll_time            = STOPPED;
    registers[APIC_CURRENT_COUNT / 4] = UINT32_MAX;
    return 0;
}

#define LONGEST  60000000 /* ticks of the TSC in 20 ms */
#define SHORTEST 60000    /* in 20 us */

/*
 * The timer expires at the time, or at the limits of 20 us and 20 ms; not before, and at
 * most two of its ticks later. It repeats.
 */
static void assert_expires(uint64_t time)
{
    uint64_t count    = registers[APIC_INITIAL_COUNT / 4];
    uint64_t expected = time - tsc < LONGEST ? time : tsc + LONGEST;

    if (expected - tsc < SHORTEST)
        expected = tsc + SHORTEST;
    assert_int_equal(registers[APIC_LVT_TIMER / 4], VECTOR_TIMER | LVT_PERIODIC);
    assert_true(tsc + count * RATIO >= expected);
    assert_true(tsc + count * RATIO <= expected + 2 * RATIO + LONGEST / 1000000);
}

static void assert_stopped(void)
{
    assert_int_equal(registers[APIC_INITIAL_COUNT / 4], 0);
    assert_int_equal(registers[APIC_LVT_TIMER / 4], VECTOR_TIMER | LVT_MASKED);
}

static void test_alone(void **state)
{
    (void)state;
    apic_set_timer(50000);
    assert_expires(tsc + 50000);
    apic_set_timer(TICKS_NEVER);
    assert_stopped();
    apic_set_poll_timer(60000000);
    assert_expires(tsc + 60000000);
    apic_set_poll_timer(TICKS_NEVER);
    assert_stopped();
}

/* Whichever expires first is programmed; the other one is kept. */
static void test_shared(void **state)
{
    uint64_t begin = tsc;

    (void)state;
    apic_set_poll_timer(60000000);
    apic_set_timer(9000000);
    assert_expires(begin + 9000000);
    tsc = begin + 9000000;
    assert_false(apic_handle_timer());
    assert_expires(begin + 60000000);
    apic_set_timer(90000000); /* the alarm is later than the poll */
    assert_expires(begin + 60000000);
    tsc = begin + 60000000;
    assert_true(apic_handle_timer());
    assert_expires(begin + 99000000);
    apic_set_poll_timer(60000000);
    assert_expires(begin + 99000000);
    apic_set_timer(TICKS_NEVER);
    assert_expires(begin + 120000000);
}

/* Both at the same time; and a timer that expires too early is programmed again. */
static void test_limits(void **state)
{
    uint64_t begin = tsc;

    (void)state;
    apic_set_poll_timer(3000);
    apic_set_timer(3000);
    tsc += 2999;
    assert_false(apic_handle_timer());
    assert_expires(begin + 3000);
    tsc += 1;
    assert_true(apic_handle_timer());
    assert_stopped();
    apic_set_timer(0); /* at once */
    assert_expires(tsc);
}

/* Other CPUs have only an alarm, which does not touch the boot CPU's. */
static void test_other_cpu(void **state)
{
    (void)state;
    apic_set_poll_timer(60000000);
    current_cpu = &other_cpu;
    apic_set_timer(90000000);
    assert_expires(tsc + 90000000);
    apic_set_timer(TICKS_NEVER);
    assert_stopped();
    current_cpu = &boot_cpu;
    assert_int_equal(alarm_time, STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_alone, start),
        cmocka_unit_test_setup(test_shared, start),
        cmocka_unit_test_setup(test_limits, start),
        cmocka_unit_test_setup(test_other_cpu, start),
    };
    return cmocka_run_group_tests_name("apic_timer", tests, NULL, NULL);
}
