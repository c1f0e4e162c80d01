/*
 * Local APICs on a bus, for tests of src/dev/local_apic.c and the files that it uses: a
 * clock that the test sets, and what the bus and the outputs report.
 *
 * Registers and their bits are numbers here, as SDM 3A prints them.
 */
#ifndef HYMIR_TESTS_LOCAL_APIC_H
#define HYMIR_TESTS_LOCAL_APIC_H

#include "unit.h"

#include "dev/local_apic.h"

#define APICS       8
#define CLOCK_HZ    UINT64_C(2500000000)
#define TIMER_HZ    UINT64_C(100000000)
#define CLOCK_START UINT64_C(777)
#define ADDRESS     UINT64_C(0xFEE00000)
#define PHYSICAL    ((UINT64_C(1) << 46) - 1)
#define BASE_MSR    0x1BU
#define DEADLINE    0x6E0U
#define ENABLED     UINT64_C(0x800) /* IA32_APIC_BASE */
#define EXTENDED    UINT64_C(0xC00)

static struct local_apic apics[APICS];
static struct local_apic *const apic = &apics[0];
static struct apic_bus bus;
static struct device_clock test_clock;
static uint64_t clock_now, alarm_time, tsc_offset;
static unsigned int changes[APICS]; /* that each APIC has reported; also its context */
static bool is_output_high[APICS];
static unsigned int notified[APICS];
static unsigned int ends; /* EOIs that the I/O APIC has seen */
static uint8_t last_end;

static inline uint64_t read_clock(void)
{
    return CLOCK_START + clock_now;
}

static inline uint64_t read_tsc(void *context)
{
    assert_in_range((unsigned int *)context - changes, 0, APICS - 1);
    return clock_now + tsc_offset;
}

static inline void set_alarm(void *context, uint64_t deadline)
{
    (void)context;
    alarm_time = deadline;
}

static inline void output_changed(void *listener, const struct interrupt_line *line)
{
    assert_ptr_equal(listener, &bus);
    assert_int_not_equal(line->is_high, is_output_high[line->number]);
    is_output_high[line->number] = line->is_high;
}

static inline void note_change(void *context)
{
    (*(unsigned int *)context)++;
}

/* Each APIC is notified only once until it receives. */
static inline void bus_notify(void *context, size_t index)
{
    assert_ptr_equal(context, &bus);
    assert_in_range(index, 0, APICS - 1);
    notified[index]++;
}

static inline void bus_end(void *context, uint8_t vector)
{
    assert_ptr_equal(context, &bus);
    ends++;
    last_end = vector;
}

static inline void reset_apic(size_t index, uint32_t id)
{
    is_output_high[index] = false;
    local_apic_reset(&apics[index], &(struct local_apic_setup){
                                        .id           = id,
                                        .is_bootstrap = index == 0,
                                        .address_mask = PHYSICAL,
                                        .bus          = &bus,
                                        .clock        = &test_clock,
                                        .timer_hz     = TIMER_HZ,
                                        .read_tsc     = read_tsc,
                                        .output       = {.number   = (uint8_t)index,
                                                         .changed  = output_changed,
                                                         .listener = &bus},
                                        .changed      = note_change,
                                        .context      = &changes[index],
                                    });
}

/* A cmocka setup function: APICs with the IDs 0 to 7, as after power-up. */
static inline int start_apics(void **state)
{
    (void)state;
    clock_now  = 1000000;
    tsc_offset = 12345;
    alarm_time = TICKS_NEVER;
    ends       = 0;
    test_clock = (struct device_clock){
        .hz = CLOCK_HZ, .read = read_clock, .start = CLOCK_START, .alarm = set_alarm};
    bus = (struct apic_bus){
        .notify = bus_notify, .end_of_interrupt = bus_end, .context = &bus};
    device_clock_init(&test_clock);
    memset(notified, 0, sizeof(notified));
    for (size_t i = 0; i < APICS; i++)
        reset_apic(i, (uint32_t)i);
    return 0;
}

static inline uint32_t read_offset(uint32_t offset)
{
    return (uint32_t)local_apic_read(apic, offset, 4);
}

static inline void write_offset_of(struct local_apic *which, uint32_t offset,
                                   uint32_t value)
{
    local_apic_write(which, offset, 4, value);
}

static inline void write_offset(uint32_t offset, uint32_t value)
{
    write_offset_of(apic, offset, value);
}

static inline uint64_t read_msr(uint32_t msr)
{
    uint64_t value = 0;
    assert_true(local_apic_read_msr(apic, msr, &value));
    return value;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
    assert_true(local_apic_write_msr(apic, msr, value));
}

static inline bool can_read_msr(uint32_t msr)
{
    uint64_t value = 0x123456789ABCDEF;
    bool can       = local_apic_read_msr(apic, msr, &value);
    assert_true(can || value == 0x123456789ABCDEF);
    return can;
}

static inline void enter_x2apic(struct local_apic *which)
{
    uint64_t base;
    assert_true(local_apic_read_msr(which, BASE_MSR, &base));
    assert_true(local_apic_write_msr(which, BASE_MSR, base | EXTENDED));
}

/* Enables an APIC by its spurious-interrupt vector register. */
static inline void enable(struct local_apic *which)
{
    uint64_t base;
    assert_true(local_apic_read_msr(which, BASE_MSR, &base));
    if ((base & EXTENDED) == EXTENDED)
        assert_true(local_apic_write_msr(which, 0x80F, 0x1FF));
    else
        write_offset_of(which, 0xF0, 0x1FF);
}

/* A cmocka setup function: the same APICs, enabled by software. */
static inline int start_enabled(void **state)
{
    start_apics(state);
    for (size_t i = 0; i < APICS; i++)
        enable(&apics[i]);
    return 0;
}

static inline size_t send_to(uint32_t destination, enum apic_delivery_mode mode,
                             uint8_t vector, bool is_level)
{
    return apic_bus_send(&bus, &(struct apic_message){.destination = destination,
                                                      .vector      = vector,
                                                      .mode        = mode,
                                                      .is_level    = is_level});
}

/* Sends a fixed interrupt to the first APIC, which receives it. */
static inline void interrupt(uint8_t vector, bool is_level)
{
    assert_int_equal(send_to(0, APIC_FIXED, vector, is_level), 1);
    local_apic_receive(apic);
}

/* Tests a bit of ISR (100H), TMR (180H) or IRR (200H), as memory or as MSRs. */
static inline bool test_vector_of(struct local_apic *which, uint32_t bitmap,
                                  uint8_t vector)
{
    uint32_t offset = bitmap + vector / 32 * 16;
    uint64_t word;
    if (!local_apic_read_msr(which, 0x800 + offset / 16, &word))
        word = local_apic_read(which, offset, 4);
    return (word >> vector % 32 & 1) != 0;
}

static inline bool test_vector(uint32_t bitmap, uint8_t vector)
{
    return test_vector_of(apic, bitmap, vector);
}

#endif
