/* src/platform/local_sources.c, on a simulated local APIC. */
#include "unit.h"

#include "../../src/platform/local_sources.c"

#define MASKED 0x10000U

static uint32_t registers[0x540 / 16];
static size_t eoi_count;

uint32_t apic_read(enum apic_register offset)
{
    assert_true(offset % 16 == 0 && offset / 16 < ARRAY_SIZE(registers));
    return registers[offset / 16];
}

/* Ends the interrupt of the highest vector that is in service. */
static void end_highest(void)
{
    eoi_count++;
    for (int i = 7; i >= 0; i--) {
        uint32_t *word = &registers[0x10 + i];
        for (int bit = 31; bit >= 0; bit--) {
            if ((*word >> bit & 1) != 0) {
                *word &= ~(1U << bit);
                return;
            }
        }
    }
}

void apic_write(enum apic_register offset, uint32_t value)
{
    assert_true(offset % 16 == 0 && offset / 16 < ARRAY_SIZE(registers));
    registers[offset / 16] = value;
    if (offset == 0xB0)
        end_highest();
}

static void set_in_service(unsigned int vector)
{
    registers[0x10 + vector / 32] |= 1U << vector % 32;
}

/* An Intel APIC with seven entries; all are unmasked, with fixed delivery. */
static int start_apic(void **state)
{
    (void)state;
    memset(registers, 0, sizeof(registers));
    eoi_count       = 0;
    registers[0x03] = 0x00060015;
    registers[0x2F] = 0x40;
    registers[0x38] = 1234;
    for (size_t i = 0x32; i <= 0x37; i++)
        registers[i] = (uint32_t)i;
    return 0;
}

static void test_all_masked(void **state)
{
    (void)state;
    local_sources_mask();
    assert_int_equal(registers[0x2F], MASKED | 0x40);
    for (size_t i = 0x32; i <= 0x37; i++)
        assert_int_equal(registers[i], MASKED | i);
    assert_int_equal(registers[0x38], 0); /* the timer's count */
    assert_int_equal(eoi_count, 0);
}

/* SMIs are the platform's, and so are the NMIs of the pins, but not those of counters. */
static void test_kept(void **state)
{
    (void)state;
    registers[0x33] = 0x200; /* thermal: SMI */
    registers[0x34] = 0x400; /* performance: NMI */
    registers[0x35] = 0x700; /* LINT0: ExtINT */
    registers[0x36] = 0x400; /* LINT1: NMI */
    local_sources_mask();
    assert_int_equal(registers[0x33], 0x200);
    assert_int_equal(registers[0x34], MASKED | 0x400);
    assert_int_equal(registers[0x35], MASKED | 0x700);
    assert_int_equal(registers[0x36], 0x400);
}

/* Registers that an APIC does not have are not accessed: in x2APIC mode they fault. */
static void test_max_lvt(void **state)
{
    (void)state;
    static const struct {
        uint32_t version;
        bool has_error, has_performance, has_thermal, has_cmci;
    } rows[] = {
        {0x00020010, false, false, false, false}, {0x00030010, true, false, false, false},
        {0x00040011, true, true, false, false},   {0x00050014, true, true, true, false},
        {0x00060015, true, true, true, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        start_apic(NULL);
        registers[0x03] = rows[i].version;
        local_sources_mask();
        assert_int_equal((registers[0x37] & MASKED) != 0, rows[i].has_error);
        assert_int_equal((registers[0x34] & MASKED) != 0, rows[i].has_performance);
        assert_int_equal((registers[0x33] & MASKED) != 0, rows[i].has_thermal);
        assert_int_equal((registers[0x2F] & MASKED) != 0, rows[i].has_cmci);
    }
}

/* AMD's further entries, as many as the register says, but never beyond their space. */
static void test_extended(void **state)
{
    (void)state;
    registers[0x03] = 0x80050010;
    registers[0x40] = 0x00030007;
    for (size_t i = 0x50; i < 0x54; i++)
        registers[i] = 0x50;
    registers[0x51] = 0x200; /* SMI */
    local_sources_mask();
    assert_int_equal(registers[0x50], MASKED | 0x50);
    assert_int_equal(registers[0x51], 0x200);
    assert_int_equal(registers[0x52], MASKED | 0x50);
    assert_int_equal(registers[0x53], 0x50);
    registers[0x40] = UINT32_MAX;
    registers[0x03] = UINT32_MAX;
    assert_false(local_source_mask_vector(0xE0)); /* apic_read checks the offsets */
}

/* Every interrupt in service is ended once, whatever else is in service. */
static void test_in_service(void **state)
{
    (void)state;
    static const unsigned int vectors[] = {0, 16, 31, 32, 0x40, 0xEF, 0xFE, 0xFF};

    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
        set_in_service(vectors[i]);
    assert_true(local_source_is_in_service(0x40));
    assert_false(local_source_is_in_service(0x41));
    local_sources_mask();
    assert_int_equal(eoi_count, ARRAY_SIZE(vectors));
    for (size_t i = 0x10; i < 0x18; i++)
        assert_int_equal(registers[i], 0);
}

/* Masks every entry of the vector, and no other. */
static void test_mask_vector(void **state)
{
    (void)state;
    registers[0x34] = 0x37; /* as the error entry */
    assert_true(local_source_mask_vector(0x37));
    assert_int_equal(registers[0x34], MASKED | 0x37);
    assert_int_equal(registers[0x37], MASKED | 0x37);
    assert_int_equal(registers[0x36], 0x36);
    assert_false(local_source_mask_vector(0x37));
    assert_false(local_source_mask_vector(0x99));
}

/* The priority never holds back Hymir's own vectors. */
static void test_hold_back(void **state)
{
    (void)state;
    local_source_hold_back(0x4E);
    assert_int_equal(registers[0x08], 0x40);
    local_source_hold_back(0xEF);
    assert_int_equal(registers[0x08], 0xE0);
    local_source_hold_back(0xF9);
    assert_int_equal(registers[0x08], 0xE0);
}

#define TEST(function) cmocka_unit_test_setup(function, start_apic)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_masked), TEST(test_kept),       TEST(test_max_lvt),
        TEST(test_extended),   TEST(test_in_service), TEST(test_mask_vector),
        TEST(test_hold_back),
    };
    return cmocka_run_group_tests_name("local sources", tests, NULL, NULL);
}
