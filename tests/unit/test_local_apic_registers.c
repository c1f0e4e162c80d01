/*
 * src/dev/local_apic.c: the registers in both modes, and the modes. SDM 3A, "Local APIC
 * Register Address Map", "x2APIC Register Address Space", "x2APIC State Transitions".
 */
#include "local_apic.h"
#include "random.h"

enum access { NONE, READ, WRITE, BOTH };

static const struct {
    uint32_t first, last; /* offsets */
    enum access xapic, x2apic;
    uint32_t xapic_writable, x2apic_writable;
    uint32_t read_only; /* bits of a register that can be written */
    uint32_t reset;     /* xAPIC mode */
} rows[] = {
    {0x000, 0x010, NONE, NONE, 0, 0, 0, 0},
    {0x020, 0x020, BOTH, READ, 0xFF000000, 0, 0, 0},
    {0x030, 0x030, READ, READ, 0, 0, 0, 0x00050014},
    {0x040, 0x070, NONE, NONE, 0, 0, 0, 0},
    {0x080, 0x080, BOTH, BOTH, 0xFF, 0xFF, 0, 0},
    {0x090, 0x090, READ, NONE, 0, 0, 0, 0},
    {0x0A0, 0x0A0, READ, READ, 0, 0, 0, 0},
    {0x0B0, 0x0B0, WRITE, WRITE, 0, 0, 0, 0},
    {0x0C0, 0x0C0, READ, NONE, 0, 0, 0, 0},
    {0x0D0, 0x0D0, BOTH, READ, 0xFF000000, 0, 0, 0},
    {0x0E0, 0x0E0, BOTH, NONE, 0xF0000000, 0, 0x0FFFFFFF, 0xFFFFFFFF},
    {0x0F0, 0x0F0, BOTH, BOTH, 0x3FF, 0x3FF, 0, 0xFF},
    {0x100, 0x270, READ, READ, 0, 0, 0, 0},
    {0x280, 0x280, BOTH, BOTH, 0, 0, 0, 0},
    {0x290, 0x2F0, NONE, NONE, 0, 0, 0, 0},
    {0x300, 0x300, BOTH, BOTH, 0xCCFFF, 0xCCFFF, 0x1000, 0},
    {0x310, 0x310, BOTH, NONE, 0xFF000000, 0, 0, 0},
    {0x320, 0x320, BOTH, BOTH, 0x700FF, 0x700FF, 0x1000, 0x10000},
    {0x330, 0x340, BOTH, BOTH, 0x107FF, 0x107FF, 0x1000, 0x10000},
    {0x350, 0x360, BOTH, BOTH, 0x1A7FF, 0x1A7FF, 0x5000, 0x10000},
    {0x370, 0x370, BOTH, BOTH, 0x100FF, 0x100FF, 0x1000, 0x10000},
    {0x380, 0x380, BOTH, BOTH, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0},
    {0x390, 0x390, READ, READ, 0, 0, 0, 0},
    {0x3A0, 0x3D0, NONE, NONE, 0, 0, 0, 0},
    {0x3E0, 0x3E0, BOTH, BOTH, 0xB, 0xB, 0, 0},
    {0x3F0, 0x3F0, NONE, WRITE, 0, 0xFF, 0, 0},
    {0x400, 0xFF0, NONE, NONE, 0, 0, 0, 0},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Calls test for each offset of 16 bytes, with its row. */
static void for_each_register(void (*test)(uint32_t offset, size_t row))
{
    uint32_t next = 0;
    for (size_t row = 0; row < ROWS; row++) {
        assert_int_equal(rows[row].first, next);
        for (; next <= rows[row].last; next += 16)
            test(next, row);
    }
    assert_int_equal(next, 0x1000);
}

/* Returns the error status: SDM 3A, "Error Handling": written before it is read. */
static uint32_t read_errors(void)
{
    write_offset(0x280, (uint32_t)random_number());
    return read_offset(0x280);
}

static void check_reset(uint32_t offset, size_t row)
{
    assert_int_equal(read_offset(offset), rows[row].reset);
}

static void test_power_up(void **state)
{
    (void)state;
    for_each_register(check_reset);
    for (size_t i = 0; i < APICS; i++) {
        uint64_t base;
        assert_int_equal(local_apic_read(&apics[i], 0x20, 4), i << 24);
        assert_true(local_apic_read_msr(&apics[i], BASE_MSR, &base));
        assert_int_equal(base, ADDRESS | ENABLED | (i == 0 ? 0x100 : 0));
        assert_true(local_apic_is_enabled(&apics[i]));
        assert_int_equal(bus.count, APICS);
        assert_ptr_equal(bus.apic[i], &apics[i]);
    }
    assert_int_equal(local_apic_read_cr8(apic), 0);
    reset_apic(3, 3);
    assert_int_equal(bus.count, APICS);
}

/* Whether a value has been stored in a register, except the bits that writes ignore. */
static bool is_stored(uint32_t offset)
{
    return offset != 0xB0 && offset != 0x280 && offset != 0x3F0;
}

static void check_memory(uint32_t offset, size_t row)
{
    enum access access = rows[row].xapic;
    enable(apic);
    read_errors();
    uint32_t before = read_offset(offset);
    assert_int_equal(read_errors() & 0x80, access == NONE ? 0x80 : 0);
    uint32_t value = (uint32_t)random_number() & ~0x100U; /* ICR: no lowest priority */
    value |= offset == 0xF0 ? 0x100 : 0;
    if (offset == 0x320 || offset == 0x380) /* no TSC deadline, no periodic interrupts */
        value = (value & ~0x60000U) | 0x10000;
    write_offset(offset, value);
    uint32_t errors = read_errors();
    if (access == NONE)
        assert_int_equal(errors & 0x80, 0x80);
    else
        assert_int_equal(errors & 0x80, 0);
    if (!is_stored(offset))
        return;
    uint32_t writable = rows[row].xapic_writable;
    uint32_t expected = (before & ~writable) | (value & writable);
    if (access == BOTH)
        assert_int_equal(read_offset(offset), expected);
    else if (offset != 0x390)
        assert_int_equal(read_offset(offset),
                         offset == 0xA0 ? read_offset(0x80) : before);
}

static void test_memory(void **state)
{
    for (unsigned int round = 0; round < 300; round++) {
        start_apics(state);
        for_each_register(check_memory);
    }
}

static void check_msr(uint32_t offset, size_t row)
{
    enum access access = rows[row].x2apic;
    uint32_t msr       = 0x800 + offset / 16, allowed;
    assert_true(local_apic_has_msr(msr));
    assert_int_equal(can_read_msr(msr), access == READ || access == BOTH);
    assert_int_equal(local_apic_write_msr(apic, msr, 0),
                     access == WRITE || access == BOTH);
    if (access != WRITE && access != BOTH)
        return;
    allowed = rows[row].x2apic_writable | rows[row].read_only;
    for (unsigned int bit = 0; bit < 64; bit++) {
        bool is_allowed = bit < 32 ? (allowed >> bit & 1) != 0 : offset == 0x300;
        uint64_t before = 0, after = 0, value = UINT64_C(1) << bit;
        local_apic_read_msr(apic, msr, &before);
        assert_int_equal(local_apic_write_msr(apic, msr, value), is_allowed);
        local_apic_read_msr(apic, msr, &after);
        if (offset == 0x320 || offset == 0xF0) {
            assert_true(local_apic_write_msr(apic, 0x832, 0x10000));
            enable(apic);
        }
        if (!is_stored(offset))
            continue;
        if (!is_allowed)
            assert_int_equal(after, before);
        else
            assert_int_equal(after, value & (rows[row].x2apic_writable |
                                             UINT64_C(0xFFFFFFFF00000000)));
    }
}

static void test_msrs(void **state)
{
    (void)state;
    enter_x2apic(apic);
    enable(apic);
    for_each_register(check_msr);
    assert_false(local_apic_has_msr(0x7FF));
    assert_false(local_apic_has_msr(0x900));
    assert_true(local_apic_has_msr(0x1B));
    assert_true(local_apic_has_msr(0x6E0));
}

static void check_no_msr(uint32_t offset, size_t row)
{
    (void)row;
    assert_true(local_apic_has_msr(0x800 + offset / 16));
    assert_false(can_read_msr(0x800 + offset / 16));
    assert_false(local_apic_write_msr(apic, 0x800 + offset / 16, 0));
}

/* The MSRs exist in x2APIC mode only: SDM 3A, "x2APIC Register Availability". */
static void test_no_msrs_in_other_modes(void **state)
{
    (void)state;
    for_each_register(check_no_msr);
    write_msr(BASE_MSR, ADDRESS);
    for_each_register(check_no_msr);
}

/* Bytes 4 to 15 read as 0, and only whole writes to the start have an effect. */
static void test_sizes(void **state)
{
    (void)state;
    enable(apic);
    write_offset(0x380, 0xA1B2C3D4);
    read_errors();
    for (unsigned int byte = 0; byte < 16; byte++)
        for (unsigned int size = 1; size <= 8; size++) {
            uint64_t expected = byte < 4 ? UINT64_C(0xA1B2C3D4) >> 8 * byte : 0;
            if (size < 8)
                expected &= (UINT64_C(1) << 8 * size) - 1;
            assert_int_equal(local_apic_read(apic, 0x380 + byte, size), expected);
            local_apic_write(apic, 0x380 + byte, size, 0x123400000077 + byte * 16 + size);
            bool is_whole = byte == 0 && size >= 4;
            assert_int_equal(read_offset(0x380), is_whole ? 0x77 + size : 0xA1B2C3D4);
            write_offset(0x380, 0xA1B2C3D4);
        }
    assert_int_equal(read_errors(), 0);
    local_apic_read(apic, 0xFFF, 8);
    assert_int_equal(read_errors(), 0x80);
}

/*
 * All transitions among disabled, xAPIC and x2APIC mode. SDM 3A, "x2APIC State
 * Transitions": from the rows to the columns EN and EXTD clear, EXTD, EN, both.
 */
static void test_transitions(void **state)
{
    static const uint64_t modes[]     = {0, 0x400, 0x800, 0xC00};
    static const bool permitted[4][4] = {
        {true, false, true, false},
        {false},
        {true, false, true, true},
        {true, false, false, true},
    };
    for (unsigned int from = 0; from < 4; from++)
        for (unsigned int to = 0; from != 1 && to < 4; to++) {
            start_apics(state);
            if (from == 3)
                enter_x2apic(apic);
            else
                write_msr(BASE_MSR, ADDRESS | modes[from]);
            assert_int_equal(
                local_apic_write_msr(apic, BASE_MSR, UINT64_C(0x12345000) | modes[to]),
                permitted[from][to]);
            assert_int_equal(read_msr(BASE_MSR), permitted[from][to]
                                                     ? UINT64_C(0x12345000) | modes[to]
                                                 : from == 3 ? ADDRESS | 0xD00
                                                             : ADDRESS | modes[from]);
            unsigned int mode = permitted[from][to] ? to : from;
            uint64_t address  = permitted[from][to] ? 0x12345000 : ADDRESS;
            assert_int_equal(local_apic_claims(apic, address + 0xFFF), mode == 2);
            assert_int_equal(local_apic_is_enabled(apic), mode >= 2);
            assert_int_equal(can_read_msr(0x802), mode == 3);
        }
}

static void test_base(void **state)
{
    (void)state;
    for (unsigned int bit = 0; bit < 64; bit++) {
        bool is_valid = bit == 8 || (bit >= 11 && bit < 46);
        uint64_t base = ENABLED | UINT64_C(1) << bit;
        if (bit == 10)
            continue; /* x2APIC mode: test_transitions */
        assert_int_equal(local_apic_write_msr(apic, BASE_MSR, base), is_valid);
        assert_int_equal(read_msr(BASE_MSR) == base, is_valid);
    }
    write_msr(BASE_MSR, UINT64_C(0x3FFFFFFFF000) | ENABLED);
    assert_true(local_apic_claims(apic, 0x3FFFFFFFF000));
    assert_true(local_apic_claims(apic, 0x3FFFFFFFFFFF));
    assert_false(local_apic_claims(apic, 0x400000000000));
    assert_false(local_apic_claims(apic, 0x3FFFFFFFEFFF));
    assert_false(local_apic_claims(apic, ADDRESS));
}

/* SDM 3A, "State Changes From xAPIC Mode to x2APIC Mode". */
static void test_state_in_x2apic_mode(void **state)
{
    (void)state;
    static const uint32_t ids[] = {0, 5, 0xFE, 0x123, 0xABCDE};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        reset_apic(0, ids[i]);
        enable(apic);
        assert_int_equal(read_offset(0x20), ids[i] << 24);
        write_offset(0x20, 0x55000000);
        write_offset(0xD0, 0x66000000);
        write_offset(0x310, 0x77000000);
        write_offset(0x370, 0x41);
        write_offset(0x80, 0x35);
        assert_int_equal(read_offset(0x20), 0x55000000);
        enter_x2apic(apic);
        assert_int_equal(read_msr(0x802), ids[i]);
        assert_int_equal(read_msr(0x80D),
                         (ids[i] & 0xFFFF0) << 12 | 1U << (ids[i] & 0xF));
        assert_int_equal(read_msr(0x830), 0);
        assert_int_equal(read_msr(0x837), 0x41);
        assert_int_equal(read_msr(0x808), 0x35);
        assert_int_equal(read_msr(0x80F), 0x1FF);
    }
}

/* The state is that after power-up when the APIC has been disabled. */
static void test_disabled_and_enabled(void **state)
{
    (void)state;
    for (unsigned int round = 0; round < 2; round++) {
        reset_apic(0, 0);
        enable(apic);
        interrupt(0x61, false);
        write_offset(0x20, 0x44000000);
        write_offset(0x370, 0x41);
        write_offset(0x80, 0x20);
        if (round == 1)
            enter_x2apic(apic);
        write_msr(BASE_MSR, ADDRESS | 0x100);
        assert_false(is_output_high[0]);
        write_msr(BASE_MSR, ADDRESS | ENABLED | 0x100);
        for_each_register(check_reset);
    }
}

/* SDM 3A, "Local APIC State After an INIT Reset". */
static void test_init(void **state)
{
    (void)state;
    enable(apic);
    interrupt(0x61, true);
    send_to(0, APIC_EXTINT, 0, false);
    local_apic_receive(apic);
    read_offset(0x400); /* an error */
    write_offset(0x20, 0x09000000);
    write_offset(0xD0, 0x44000000);
    write_offset(0x370, 0x41);
    write_offset(0x80, 0x20);
    write_offset(0x380, 10000);
    send_to(9, APIC_FIXED, 0x62, false);
    write_msr(BASE_MSR, UINT64_C(0xFED00000) | ENABLED);
    local_apic_init_signal(apic);
    assert_int_equal(read_offset(0x20), 0x09000000);
    assert_int_equal(read_msr(BASE_MSR), UINT64_C(0xFED00000) | ENABLED);
    write_offset(0x20, 0);
    for_each_register(check_reset);
    local_apic_receive(apic);
    for_each_register(check_reset);
    assert_false(is_output_high[0]);
    start_apics(state);
    enable(apic);
    read_offset(0x400);
    local_apic_init_signal(apic);
    enable(apic);
    write_offset(0x370, 0x71);
    read_offset(0x400); /* the first error again */
    assert_true(test_vector(0x200, 0x71));
    local_apic_init_signal(apic);
    assert_int_equal(read_errors(), 0);

    reset_apic(0, 0x234);
    enter_x2apic(apic);
    enable(apic);
    write_msr(0x808, 0x20);
    local_apic_init_signal(apic);
    assert_int_equal(read_msr(BASE_MSR), ADDRESS | EXTENDED | 0x100);
    assert_int_equal(read_msr(0x802), 0x234);
    assert_int_equal(read_msr(0x80D), 0x230010);
    assert_int_equal(read_msr(0x808), 0);
    assert_int_equal(read_msr(0x80F), 0xFF);
}

#define TEST(name) cmocka_unit_test_setup(name, start_apics)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_power_up),
        TEST(test_memory),
        TEST(test_msrs),
        TEST(test_no_msrs_in_other_modes),
        TEST(test_sizes),
        TEST(test_transitions),
        TEST(test_base),
        TEST(test_state_in_x2apic_mode),
        TEST(test_disabled_and_enabled),
        TEST(test_init),
    };
    return cmocka_run_group_tests_name("local APIC registers", tests, NULL, NULL);
}
