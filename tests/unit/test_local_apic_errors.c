/* src/dev/local_apic.c: errors, and the state that software disables. SDM 3A. */
#include "local_apic.h"
#include "random.h"

/* Returns the error status: SDM 3A, "Error Handling": written before it is read. */
static uint32_t read_errors(void)
{
    write_offset(0x280, (uint32_t)random_number());
    return read_offset(0x280);
}

/* SDM 3A, "Local APIC State After It Has Been Software Disabled". */
static void test_software_disabled(void **state)
{
    (void)state;
    for (uint32_t offset = 0x320; offset <= 0x370; offset += 16) {
        write_offset(offset, 0x31);
        assert_int_equal(read_offset(offset), 0x10031);
    }
    enable(apic);
    for (uint32_t offset = 0x320; offset <= 0x370; offset += 16) {
        assert_int_equal(read_offset(offset), 0x10031);
        write_offset(offset, 0x31);
        assert_int_equal(read_offset(offset), 0x31);
    }
    interrupt(0x41, false);
    write_offset(0xF0, 0xFF);
    for (uint32_t offset = 0x320; offset <= 0x370; offset += 16)
        assert_int_equal(read_offset(offset), 0x10031);
    assert_true(is_output_high[0]); /* what is pending is held */
    assert_int_equal(local_apic_acknowledge(apic), 0x41);
    assert_int_equal(send_to(0, APIC_FIXED, 0x42, false), 0);
    assert_int_equal(send_to(0, APIC_LOWEST_PRIORITY, 0x42, false), 0);
    assert_int_equal(send_to(0, APIC_EXTINT, 0x42, false), 0);
    assert_int_equal(send_to(0, APIC_NMI, 0, false), 1);
    assert_int_equal(send_to(0, APIC_INIT, 0, false), 1);
    assert_int_equal(send_to(0, APIC_STARTUP, 0, false), 1);
    write_offset(0x310, UINT32_C(1) << 24);
    enable(&apics[1]);
    write_offset(0x300, 0x55); /* it can still send */
    local_apic_receive(&apics[1]);
    assert_true(test_vector_of(&apics[1], 0x200, 0x55));
}

/* SDM 3A, "Error Handling": a write stores the errors since the previous one. */
static void test_errors(void **state)
{
    (void)state;
    enable(apic);
    write_offset(0x370, 0x71);
    write_offset(0x300, 0x0F); /* fixed, vector 15 */
    assert_int_equal(read_offset(0x280), 0);
    assert_int_equal(local_apic_acknowledge(apic), 0x71);
    read_offset(0x400); /* another error, no interrupt until the status is written */
    assert_false(test_vector(0x200, 0x71));
    write_offset(0x280, 0x1234);
    assert_int_equal(read_offset(0x280), 0xA0);
    assert_int_equal(read_offset(0x280), 0xA0);
    interrupt(0x0F, false);
    assert_true(test_vector(0x200, 0x71));
    assert_int_equal(read_offset(0x280), 0xA0);
    write_offset(0x280, 0);
    assert_int_equal(read_offset(0x280), 0x40);
    write_offset(0x280, 0);
    assert_int_equal(read_offset(0x280), 0);
    write_offset(0x370, 0x03); /* the interrupt of an error is an error */
    read_offset(0x10);
    assert_int_equal(read_errors(), 0xC0);
    for (unsigned int i = 0; i < 16; i++)
        assert_false(test_vector(0x200, (uint8_t)i));
}

#define TEST(name) cmocka_unit_test_setup(name, start_apics)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_software_disabled),
        TEST(test_errors),
    };
    return cmocka_run_group_tests_name("local APIC errors", tests, NULL, NULL);
}
