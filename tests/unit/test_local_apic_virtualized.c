/*
 * src/dev/local_apic.c where a processor virtualizes it: SDM 3C, "Virtualizing
 * Memory-Mapped APIC Accesses". A local APIC whose registers a model of the processor
 * writes must be as one whose registers the software model writes.
 */
#include "local_apic.h"
#include "random.h"

static struct local_apic *const virtualized = &apics[1];

/* SDM 3C, "APIC-Write Emulation": the registers whose writes are virtualized. */
static bool is_virtualized(uint32_t offset)
{
    static const uint32_t offsets[] = {0x20,  0xB0,  0xD0,  0xE0,  0xF0,
                                       0x280, 0x300, 0x320, 0x330, 0x340,
                                       0x350, 0x360, 0x370, 0x380, 0x3E0};
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
        if (offsets[i] == offset)
            return true;
    return false;
}

/* Returns the highest vector in service, or 0. */
static uint8_t in_service(void)
{
    for (unsigned int vector = 255; vector >= 16; vector--)
        if (test_vector_of(virtualized, 0x100, (uint8_t)vector))
            return (uint8_t)vector;
    return 0;
}

/*
 * SVI, which the backend sets at each change. SDM 3C, "EOI Virtualization": the processor
 * removes it and finds the next.
 */
static uint8_t svi;

static void follow_change(void)
{
    if (changes[1] != 0)
        svi = virtualized->in_service;
    changes[1] = 0;
}

static void end_as_processor(void)
{
    assert_int_equal(svi, in_service());
    virtualized->registers[(0x100 + svi / 32 * 16) / 4] &= ~(1U << svi % 32);
    svi                              = in_service();
    uint32_t task                    = virtualized->registers[0x80 / 4];
    virtualized->registers[0xA0 / 4] = task >> 4 >= svi >> 4 ? task : svi & 0xF0U;
}

/* Writes a register as the processor does with the TPR shadow and all registers. */
static void write_as_processor(uint32_t offset, uint32_t value)
{
    uint32_t *stored = &virtualized->registers[offset / 4];
    if (offset == 0x80) {
        *stored = value & 0xFF;
        if ((value >> 4 & 0xF) < virtualized->threshold) /* an exit */
            local_apic_tpr_changed(virtualized);
    } else if (offset == 0xB0 && !virtualized->needs_eoi) {
        end_as_processor();
    } else if (offset == 0x310) {
        *stored = value & 0xFF000000;
    } else if (is_virtualized(offset)) {
        *stored = value;
        local_apic_written(virtualized, offset);
    } else {
        local_apic_write(virtualized, offset, 4, value);
    }
}

/* SDM 3C, "TPR Virtualization": no exit is missing, and entry accepts the threshold. */
static void check_threshold(void)
{
    uint32_t task = virtualized->registers[0x80 / 4];
    assert_true(virtualized->threshold <= (task >> 4 & 0xF));
    local_apic_tpr_changed(virtualized);
    assert_true(virtualized->threshold <= (task >> 4 & 0xF));
    assert_int_equal(virtualized->threshold, apic->threshold);
}

static void compare(void)
{
    for (uint32_t offset = 0x30; offset < 0x400; offset += 16)
        if (offset != 0xD0)
            assert_int_equal(local_apic_read(virtualized, offset, 4),
                             read_offset(offset));
    assert_int_equal(local_apic_read_cr8(virtualized), local_apic_read_cr8(apic));
    check_threshold();
    assert_int_equal(is_output_high[1], is_output_high[0]);
    if (!is_output_high[0] || random_below(3) != 0)
        return;
    assert_int_equal(local_apic_acknowledge(virtualized), local_apic_acknowledge(apic));
}

static void test_random_writes(void **state)
{
    (void)state;
    static const uint32_t usual[] = {0x80, 0xB0, 0x300, 0x320, 0x350, 0x380, 0x3E0};
    write_offset_of(virtualized, 0x20, 0); /* ICRs with shorthands do not address it */
    for (unsigned int i = 0; i < 100000; i++) {
        uint32_t offset = random_below(4) == 0 ? (uint32_t)random_below(64) * 16
                                               : usual[random_below(7)];
        uint32_t value  = (uint32_t)random_number();
        if (offset == 0x300)
            value = (value & 0xFF) | 0x44000; /* fixed, to itself */
        if (offset == 0x20 || offset == 0xD0 || (offset == 0xF0 && random_below(4) != 0))
            continue;
        if (offset == 0x380)
            value %= 100000;
        if (offset >= 0x330 && offset <= 0x370)
            value &= ~UINT32_C(0x700); /* fixed */
        write_offset(offset, value);
        write_as_processor(offset, value);
        follow_change();
        if (random_below(8) == 0) {
            bool is_high = random_below(2) == 0;
            local_apic_drive_line(apic, LOCAL_APIC_LINT0, is_high);
            local_apic_drive_line(virtualized, LOCAL_APIC_LINT0, is_high);
        }
        clock_now += random_below(1000);
        if (random_below(2) == 0)
            device_clock_run(&test_clock);
        compare();
        follow_change();
    }
}

/* A write that is no 32-bit one to the start of a register has no effect. */
static void test_other_bytes(void **state)
{
    (void)state;
    write_offset_of(virtualized, 0x370, 0x100FE);
    for (uint32_t byte = 1; byte < 4; byte++) {
        ((uint8_t *)virtualized->registers)[0x370 + byte] = 0x77;
        local_apic_written(virtualized, 0x370 + byte);
        assert_int_equal(local_apic_read(virtualized, 0x370, 4), 0x100FE);
    }
    /* The low half of a register keeps the other one. */
    ((uint16_t *)virtualized->registers)[0x370 / 2] = 0x31;
    local_apic_written(virtualized, 0x370);
    assert_int_equal(local_apic_read(virtualized, 0x370, 4), 0x10031);
    /* No processor reports these; nothing happens. */
    static const uint32_t never[] = {0,     0x30,  0x90,  0xA0, 0x100,
                                     0x390, 0x3F0, 0x400, 0xFFF};
    struct local_apic before      = *virtualized;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        local_apic_written(virtualized, never[i]);
    assert_memory_equal(&before, virtualized, sizeof(before));
}

/* The class that waits for TPR alone; a change is reported once. */
static void test_threshold(void **state)
{
    (void)state;
    write_offset(0x80, 0x90);
    changes[0] = 0;
    interrupt(0x61, false);
    assert_int_equal(apic->threshold, 6);
    assert_int_equal(changes[0], 1);
    interrupt(0x85, false);
    assert_int_equal(apic->threshold, 8);
    interrupt(0x62, false);
    assert_int_equal(apic->threshold, 8);
    assert_int_equal(changes[0], 2);
    write_offset(0x80, 0x80); /* the class itself is still blocked */
    assert_int_equal(apic->threshold, 8);
    assert_false(is_output_high[0]);
    apic->registers[0x80 / 4] = 0x7F; /* by the processor */
    assert_int_equal(read_offset(0xA0), 0x7F);
    assert_false(is_output_high[0]);
    local_apic_tpr_changed(apic);
    assert_true(is_output_high[0]);
    assert_int_equal(apic->threshold, 0);
    assert_int_equal(local_apic_acknowledge(apic), 0x85);
    /* The interrupt in service blocks the others, whatever TPR is. */
    assert_int_equal(apic->threshold, 0);
    write_offset(0xB0, 0);
    assert_int_equal(apic->threshold, 6);
    local_apic_init_signal(apic);
    assert_int_equal(apic->threshold, 0);
}

/*
 * An EOI needs the model only if another interrupt waits, or one in service is
 * level-triggered: SDM 3C, "EOI Virtualization".
 */
static void test_end_without_model(void **state)
{
    (void)state;
    interrupt(0x61, false);
    interrupt(0x41, false);
    assert_int_equal(local_apic_acknowledge(apic), 0x61);
    assert_int_equal(apic->in_service, 0x61);
    assert_true(apic->needs_eoi);
    write_offset(0xB0, 0);
    assert_int_equal(local_apic_acknowledge(apic), 0x41);
    assert_int_equal(apic->in_service, 0x41);
    assert_false(apic->needs_eoi);
    interrupt(0x62, true);
    assert_int_equal(local_apic_acknowledge(apic), 0x62);
    assert_true(apic->needs_eoi);
}

/* Each new base is reported, also if only the address is another one. */
static void test_base(void **state)
{
    (void)state;
    static const uint64_t bases[] = {0xD0000900, 0xFEE00900, 0xFEE00D00, 0xFEE00100,
                                     0xFEE00900};
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        changes[0] = 0;
        write_msr(BASE_MSR, bases[i]);
        assert_true(changes[0] > 0);
        assert_int_equal(apic->base, bases[i]);
    }
    changes[0] = 0;
    assert_false(local_apic_write_msr(apic, BASE_MSR, 0xFEE00400));
    assert_int_equal(changes[0], 0);
}

#define TEST(name) cmocka_unit_test_setup(name, start_enabled)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_random_writes), TEST(test_other_bytes),
                                       TEST(test_threshold), TEST(test_end_without_model),
                                       TEST(test_base)};
    return cmocka_run_group_tests_name("local APIC, virtualized", tests, NULL, NULL);
}
