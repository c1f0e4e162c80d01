/* src/cpu/guest_state.c: which measures a CPU takes at VM entry and VM exit. */
#include "unit.h"

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "cpu/speculation.h"

static struct cpu fake_cpu;
static uint64_t fake_cr4;
static uint32_t refused_msr;

static uint64_t fake_read_cr4(void)
{
    return fake_cr4;
}

static uint32_t fake_wrmsr_safe(uint32_t msr, uint64_t value)
{
    (void)value;
    return msr == refused_msr ? FAULT_RAISED | 13 : FAULT_NONE;
}

static struct cpuid_result fake_cpuid(uint32_t leaf, uint32_t subleaf)
{
    (void)leaf;
    (void)subleaf;
    return (struct cpuid_result){0};
}

void speculation_reset(void)
{
}

#define read_cr4                fake_read_cr4
#define write_cr4(value)        ((void)(value))
#define write_cr2(value)        ((void)(value))
#define fninit()                ((void)0)
#define fxrstor(area)           ((void)(area))
#define clear_debug_registers() ((void)0)
#define wrmsr_safe              fake_wrmsr_safe
#define cpuid                   fake_cpuid
#define this_cpu()              (&fake_cpu)
#include "../../src/cpu/guest_state.c"

static uint8_t entry_for(uint8_t measures, uint64_t value_of_cr4)
{
    fake_cpu.controls.entry = measures;
    fake_cr4                = value_of_cr4;
    return guest_state_reset();
}

static void drops_calls_from_a_shadow_stack_only(void **state)
{
    const uint8_t fill = 1 << ENTRY_FILL_RSB, verw = 1 << ENTRY_VERW;
    const uint8_t drop = 1 << ENTRY_DROP_SHADOW;

    (void)state;
    assert_int_equal(entry_for(fill | verw, 0), fill | verw);
    assert_int_equal(entry_for(fill | verw, BIT(23)), fill | verw | drop);
    assert_int_equal(entry_for(0, BIT(23)), 0);
}

static void leaves_out_what_faults(void **state)
{
    const uint8_t measures = 1 << ENTRY_FILL_RSB | 1 << ENTRY_IBRS | 1 << ENTRY_FLUSH_L1D;

    start_log(state);
    assert_int_equal(entry_for(measures, 0), measures);
    refused_msr = 0x48;
    assert_int_equal(entry_for(measures, 0), measures & ~(1 << ENTRY_IBRS));
    assert_logged("WRMSR of 0x48 faults");
    refused_msr = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_calls_from_a_shadow_stack_only),
        cmocka_unit_test(leaves_out_what_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
