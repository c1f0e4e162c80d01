/* src/platform/thermal.c, on a simulated sensor and local APIC. */
#include "unit.h"

#include "cpu/percpu.h"
#include "cpu/traps.h"
#include "platform/apic.h"
#include "platform/clock.h"

static struct cpu fake_cpu;
static uint64_t interrupt_msr, status_msr, tsc;
static uint32_t features, lvt, version;
static void (*handler)(void);

static uint32_t fake_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    *value = msr == 0x19B ? interrupt_msr : status_msr;
    return FAULT_NONE;
}

static uint32_t fake_wrmsr_safe(uint32_t msr, uint64_t value)
{
    if (msr == 0x19B)
        interrupt_msr = value;
    else if (msr == 0x19C)
        status_msr = value;
    else
        fail();
    return FAULT_NONE;
}

static struct cpuid_result fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
    assert_int_equal(leaf, 1);
    assert_int_equal(subleaf, 0);
    return (struct cpuid_result){.edx = features};
}

uint32_t apic_read(enum apic_register offset)
{
    return offset == 0x30 ? version : lvt;
}

void apic_write(enum apic_register offset, uint32_t value)
{
    assert_int_equal(offset, 0x330);
    lvt = value;
}

void trap_set_handler(uint8_t vector, void (*of)(void))
{
    assert_int_equal(vector, 0xF7);
    handler = of;
}

uint64_t clock_frequency(void)
{
    return 1000;
}

#define rdmsr_safe           fake_rdmsr_safe
#define wrmsr_safe           fake_wrmsr_safe
#define cpuid(leaf, subleaf) fake_cpuid(leaf, subleaf)
#define this_cpu()           (&fake_cpu)
#define rdtsc()              tsc
#include "../../src/platform/thermal.c"

#define MASKED 0x10000U

static int sensor_start(void **state)
{
    memset(&fake_cpu, 0, sizeof(fake_cpu));
    fake_cpu.index = 2;
    interrupt_msr  = 1 << 24; /* a power limit of firmware's */
    status_msr     = 0;
    tsc            = 100;
    features       = 1 << 22 | 1 << 29;
    lvt            = MASKED;
    version        = 5 << 16;
    handler        = NULL;
    return start_log(state);
}

#define TEST(name) cmocka_unit_test_setup(name, sensor_start)

static void test_interrupts(void **state)
{
    (void)state;
    thermal_start();
    assert_int_equal(lvt, 0xF7);
    assert_int_equal(interrupt_msr, 1 << 24 | 3);
    status_msr = 0x1003;
    handler();
    assert_string_equal(captured_log,
                        "warning: cpu 2: too hot; the processor runs slower\n");
    assert_int_equal(status_msr, 0x1001);
    start_log(state);
    tsc += 59999;
    handler();
    assert_nothing_logged();
    tsc += 1;
    status_msr = 2; /* no longer */
    handler();
    assert_nothing_logged();
    status_msr = 3;
    handler();
    assert_logged("cpu 2: too hot");
}

/* No sensor, no entry for it, or firmware's own handler. */
static void test_refused(void **state)
{
    (void)state;
    features = 1 << 22;
    thermal_start();
    features = 1 << 29;
    thermal_start();
    features |= 1 << 22;
    version = 4 << 16;
    thermal_start();
    version = 5 << 16;
    lvt     = 0x200; /* SMI */
    thermal_start();
    assert_int_equal(lvt, 0x200);
    assert_int_equal(interrupt_msr, 1 << 24);
    assert_null(handler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_interrupts), TEST(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
