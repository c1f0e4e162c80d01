/* src/platform/interrupts.c: what is masked at the start, what arrives, and storms. */
#include "acpi.h"

#include "random.h"

/* Replaces src/cpu/instructions.h. */
#define HYMIR_CPU_INSTRUCTIONS_H
static uint64_t clock_ticks;
static void *read_gs_pointer(void);
static uint64_t rdtsc(void)
{
    return clock_ticks;
}

#include "../../src/platform/interrupts.c"

#define HPET           0x6000
#define HPET_REGISTERS 0xFED00000
#define PERIOD_FS      10000000
#define FIRST_IO_APIC  0xFEC00000 /* of madt-interrupts.aml */
#define CLOCK_HZ       2000000000U
#define PAUSE          40000U /* 20 us */

struct cpu boot_cpu;
static struct cpu other_cpu, *current_cpu;
static bool has_apic, has_local_source, is_real;
static size_t io_apics_masked, eoi_count;
static uint8_t inputs[8]; /* the vectors of an I/O APIC */
static unsigned int held_back;
static uint32_t hpet_registers[HPET_REGISTERS_SIZE / 4];

static void *read_gs_pointer(void)
{
    return current_cpu;
}

volatile void *address_space_map_device(uint64_t address, uint64_t size)
{
    (void)size;
    if (address == HPET_REGISTERS)
        return hpet_registers;
    return address == FIRST_IO_APIC ? inputs : NULL;
}

uint32_t io_apic_mask(volatile uint32_t *registers)
{
    assert_ptr_equal(registers, inputs);
    io_apics_masked++;
    return 0;
}

enum status io_apic_mask_vector(volatile uint32_t *registers, uint8_t vector,
                                uint32_t *input)
{
    assert_ptr_equal(registers, inputs);
    for (uint32_t i = 0; i < ARRAY_SIZE(inputs); i++) {
        if (inputs[i] != vector)
            continue;
        inputs[i] = 0;
        *input    = i;
        return STATUS_OK;
    }
    return STATUS_NOT_FOUND;
}

bool apic_is_enabled(void)
{
    return has_apic;
}

void apic_end_of_interrupt(void)
{
    eoi_count++;
}

bool local_source_mask_vector(uint8_t vector)
{
    return vector == 0x31 && has_local_source;
}

bool local_source_is_in_service(uint8_t vector)
{
    assert_true(has_apic);
    return vector == 0x1E || vector == 0xEC;
}

void local_source_hold_back(uint8_t vector)
{
    held_back = vector;
}

bool pic_end_interrupt(uint8_t vector)
{
    assert_in_range(vector, 0xE0, 0xEF);
    return is_real;
}

uint64_t clock_frequency(void)
{
    return CLOCK_HZ;
}

static int start_machine(void **state)
{
    memset(inputs, 0, sizeof(inputs));
    memset(hpet_registers, 0, sizeof(hpet_registers));
    for (size_t i = 0; i < VECTOR_COUNT; i++)
        atomic_store(&unwanted[i], 0);
    current_cpu      = &boot_cpu;
    other_cpu.index  = 3;
    has_apic         = true;
    has_local_source = false;
    is_real          = false;
    io_apic_count    = 0;
    io_apics_masked  = 0;
    eoi_count        = 0;
    held_back        = 0;
    memory_clear(NULL);
    return start_log(state);
}

static void stop_sources(const char *madt, const char *hpet)
{
    const uint64_t entries[] = {MADT, HPET};

    if (madt != NULL)
        memory_put_file(MADT, madt);
    if (hpet != NULL)
        memory_put_file(HPET, hpet);
    struct acpi acpi = open_all(entries, 2);
    interrupts_stop_sources(&acpi);
}

static void arrive(uint8_t vector, unsigned int times)
{
    for (unsigned int i = 0; i < times; i++)
        interrupt_handle_unwanted(vector);
}

/* The timers' interrupts end, on any route, but not the counter. */
static void test_hpet(void **state)
{
    (void)state;
    hpet_registers[0x00 / 4]  = 0x8086A201; /* three timers */
    hpet_registers[0x04 / 4]  = PERIOD_FS;
    hpet_registers[0x10 / 4]  = 3;
    hpet_registers[0x100 / 4] = 0x44E;
    hpet_registers[0x120 / 4] = 0xC044;
    hpet_registers[0x140 / 4] = 0x4000;
    hpet_registers[0x160 / 4] = 0x4004; /* no timer */
    stop_sources(NULL, "hpet.aml");
    assert_int_equal(hpet_registers[0x10 / 4], 1);
    assert_int_equal(hpet_registers[0x100 / 4], 0x44A);
    assert_int_equal(hpet_registers[0x120 / 4], 0x8040);
    assert_int_equal(hpet_registers[0x140 / 4], 0);
    assert_int_equal(hpet_registers[0x160 / 4], 0x4004);
    assert_int_equal(hpet_registers[0x20 / 4], UINT32_MAX);
}

/*
 * Registers that are not there, or another device's, are not written: 20H is the ID of a
 * local APIC. 32 timers do not leave the page.
 */
static void test_hpet_hostile(void **state)
{
    static const uint32_t periods[] = {0, HPET_PERIOD_MAX_FS + 1, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(periods); i++) {
        hpet_registers[0x00 / 4]  = 0x8086A201;
        hpet_registers[0x04 / 4]  = periods[i];
        hpet_registers[0x20 / 4]  = 5;
        hpet_registers[0x100 / 4] = 0x44E;
        stop_sources(NULL, "hpet.aml");
        assert_int_equal(hpet_registers[0x20 / 4], 5);
        assert_int_equal(hpet_registers[0x100 / 4], 0x44E);
    }
    start_machine(state);
    hpet_registers[0x00 / 4] = 0x80861F01;
    hpet_registers[0x04 / 4] = PERIOD_FS;
    stop_sources(NULL, "hpet.aml");
    assert_int_equal(hpet_registers[0x20 / 4], UINT32_MAX);
}

static void test_io_apics(void **state)
{
    (void)state;
    stop_sources("madt-interrupts.aml", NULL);
    assert_int_equal(io_apics_masked, io_apic_count);
    assert_true(io_apic_count > 0);
    stop_sources(NULL, NULL);
}

/* An interrupt is named once, with its source, and ended each time. */
static void test_named_once(void **state)
{
    (void)state;
    stop_sources("madt-interrupts.aml", NULL);
    start_log(NULL);
    inputs[5] = 0x40;
    arrive(0x40, 3);
    assert_non_null(strstr(captured_log,
                           "warning: cpu 0: unexpected interrupt, vector "
                           "0x40: masked at input 5 of the I/O APIC at 0x"));
    assert_int_equal(eoi_count, 3);
    assert_int_equal(inputs[5], 0);
    start_log(NULL);
    interrupts_report();
    assert_string_equal(captured_log,
                        "warning: 3 unexpected interrupts of vector 0x40; ignored\n");
}

static void test_local(void **state)
{
    (void)state;
    has_local_source = true;
    current_cpu      = &other_cpu;
    arrive(0x31, 1);
    assert_string_equal(captured_log,
                        "warning: cpu 3: unexpected interrupt, vector 0x31: "
                        "masked in the local vector table\n");
    start_log(NULL);
    interrupts_report();
    assert_nothing_logged(); /* it came once */
}

/* A storm without a known source is held back by the priority, once. */
static void test_unknown_storm(void **state)
{
    (void)state;
    arrive(0x55, 9999);
    assert_int_equal(held_back, 0);
    start_log(NULL);
    arrive(0x55, 1);
    assert_int_equal(held_back, 0x55);
    assert_string_equal(
        captured_log, "warning: cpu 0: storm of interrupts, vector 0x55: source unknown; "
                      "held back by the task priority\n");
    start_log(NULL);
    arrive(0x55, 20000);
    assert_nothing_logged();
    assert_int_equal(eoi_count, 30000);
}

/* Without a local APIC none of its registers is accessed. */
static void test_no_apic(void **state)
{
    (void)state;
    has_apic = false;
    arrive(0x55, 10000);
    assert_int_equal(held_back, 0);
    assert_false(interrupt_is_in_service(0x1E));
    has_apic = true;
    assert_true(interrupt_is_in_service(0x1E));
}

/* Interrupts of the 8259A are not ended in the local APIC. */
static void test_pic(void **state)
{
    (void)state;
    arrive(0xE7, 1);
    assert_logged("vector 0xe7: a spurious one of the 8259A\n");
    is_real = true;
    arrive(0xEF, 1);
    assert_logged("vector 0xef: masked in the 8259A\n");
    assert_int_equal(eoi_count, 0);
}

/* Linux's local APIC timer, pending after kexec, has a vector of the 8259A's. */
static void test_left_pending(void **state)
{
    (void)state;
    arrive(0xEC, 1);
    assert_logged("warning: cpu 0: unexpected interrupt, vector 0xec: source unknown\n");
    assert_int_equal(eoi_count, 1);
}

/* Interrupts after pauses are no storm, however many; nor are bursts of half of them. */
static void test_no_storm(void **state)
{
    (void)state;
    struct interrupt_storm storm = {0};

    for (uint64_t time = PAUSE + 1; time < 100000ULL * (PAUSE + 1); time += PAUSE + 1) {
        assert_false(interrupt_storm_count(&storm, time, PAUSE));
        storm.ended = time;
        assert_false(interrupt_storm_count(&storm, time + random_below(100), PAUSE));
    }
    assert_true(storm.count <= 1);
}

/* Interrupts without pauses are one, also if now and then there is one. */
static void test_storm(void **state)
{
    (void)state;
    unsigned int storms = 0, first = 0;
    struct interrupt_storm storm = {0};

    for (unsigned int i = 0; i < 15000; i++) {
        uint64_t time = storm.ended + (i % 20 == 0 ? PAUSE + 1 : PAUSE);
        if (interrupt_storm_count(&storm, time, PAUSE) && storms++ == 0)
            first = i;
        storm.ended = time;
    }
    assert_true(storms > 0);
    assert_in_range(first, 10000, 11500);
}

/* A storm of a wanted interrupt is masked at its input; the time in its handler counts
 * not. */
static void test_wanted_storm(void **state)
{
    (void)state;
    stop_sources("madt-interrupts.aml", NULL);
    inputs[1]   = 0xF3;
    clock_ticks = 1000000;
    for (unsigned int i = 0; i < 10001; i++) {
        assert_int_equal(inputs[1], 0xF3);
        clock_ticks += 100;
        interrupt_begin(0xF3);
        clock_ticks += 1000000;
        interrupt_end(0xF3);
        interrupt_begin(0xF1); /* the timer's are never one */
        interrupt_end(0xF1);
    }
    assert_int_equal(inputs[1], 0);
    assert_logged(
        "warning: cpu 0: storm of interrupts, vector 0xf3: masked at input 1 of "
        "the I/O APIC at 0x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_machine, memory_clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_hpet),       TEST(test_hpet_hostile), TEST(test_io_apics),
        TEST(test_named_once), TEST(test_local),        TEST(test_unknown_storm),
        TEST(test_no_apic),    TEST(test_pic),          TEST(test_left_pending),
        TEST(test_no_storm),   TEST(test_storm),        TEST(test_wanted_storm),
    };
    return cmocka_run_group_tests_name("interrupts", tests, NULL, NULL);
}
