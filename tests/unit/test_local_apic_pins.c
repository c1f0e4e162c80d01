/*
 * src/dev/local_apic_interrupts.c: LINT0 and LINT1. SDM 3A, "Local Vector Table",
 * "Enabling or Disabling the Local APIC".
 */
#include "local_apic.h"

#define TMR 0x180
#define IRR 0x200

static void end(void)
{
    write_offset(0xB0, 0);
}

static bool is_direct; /* the line is driven on the APIC's own CPU */

static void drive(enum local_apic_pin pin, bool is_high)
{
    if (is_direct) {
        local_apic_drive_line(apic, pin, is_high);
        return;
    }
    local_apic_set_line(apic, pin, is_high);
    local_apic_receive(apic);
}

/* Each test is executed with the lines driven in one way and in the other. */
static int start_from_outside(void **state)
{
    is_direct = false;
    return start_enabled(state);
}

static int start_direct(void **state)
{
    is_direct = true;
    return start_enabled(state);
}

static unsigned int pulse(enum local_apic_pin pin)
{
    uint8_t vector;
    drive(pin, false);
    drive(pin, true);
    return local_apic_take_events(apic, &vector);
}

static void test_pin_modes(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 32; i++) {
        enum local_apic_pin pin = i & 1;
        unsigned int mode       = i >> 1 & 7;
        bool is_level           = i >= 16;
        start_enabled(state);
        write_offset(0x350 + 16 * pin, 0x61 | mode << 8 | (is_level ? 0x8000 : 0));
        assert_true(local_apic_is_pin_open(apic, pin));
        assert_false(local_apic_is_pin_open(apic, !pin));
        unsigned int events = pulse(pin);
        assert_int_equal(events, mode == 4   ? LOCAL_APIC_NMI
                                 : mode == 5 ? LOCAL_APIC_INIT
                                             : 0);
        assert_int_equal(test_vector(IRR, 0x61), mode == 0);
        assert_int_equal(test_vector(TMR, 0x61), mode == 0 && is_level && pin == 0);
        assert_int_equal(is_output_high[0], mode == 0 || mode == 7);
        drive(pin, false);
        assert_int_equal(is_output_high[0], mode == 0);
        write_offset(0x350 + 16 * pin, 0x10061 | mode << 8); /* masked */
        assert_false(local_apic_is_pin_open(apic, pin));
        assert_int_equal(pulse(pin), 0);
        assert_int_equal(is_output_high[0], mode == 0);
    }
}

static void test_level_pin(void **state)
{
    (void)state;
    write_offset(0x350, 0x8061);
    drive(LOCAL_APIC_LINT0, true);
    assert_int_equal(read_offset(0x350), 0xC061); /* remote IRR */
    write_offset(0x350, 0xC061);
    assert_int_equal(read_offset(0x350), 0xC061);
    assert_int_equal(local_apic_acknowledge(apic), 0x61);
    assert_false(test_vector(IRR, 0x61));
    write_offset(0x350, 0x8061);
    pulse(LOCAL_APIC_LINT0);
    assert_false(test_vector(IRR, 0x61)); /* until its EOI */
    end();
    assert_int_equal(ends, 1);
    assert_true(test_vector(IRR, 0x61)); /* still high */
    assert_int_equal(local_apic_acknowledge(apic), 0x61);
    drive(LOCAL_APIC_LINT0, false);
    end();
    assert_int_equal(read_offset(0x350), 0x8061);
    assert_false(is_output_high[0]);
    drive(LOCAL_APIC_LINT0, true);
    write_offset(0x350, 0x61); /* edge: there is no remote IRR */
    assert_int_equal(read_offset(0x350), 0x61);
    assert_int_equal(local_apic_acknowledge(apic), 0x61);
    end();
    assert_false(is_output_high[0]);
    write_offset(0x350, 0x18062);
    write_offset(0x350, 0x8062); /* unmasked while high */
    assert_int_equal(local_apic_acknowledge(apic), 0x62);
}

/* An edge that comes while the pin is masked is lost. */
static void test_edge_pin(void **state)
{
    (void)state;
    write_offset(0x350, 0x10061);
    drive(LOCAL_APIC_LINT0, true);
    write_offset(0x350, 0x61);
    assert_false(is_output_high[0]);
    drive(LOCAL_APIC_LINT0, true);
    assert_false(is_output_high[0]);
    pulse(LOCAL_APIC_LINT0);
    assert_int_equal(local_apic_acknowledge(apic), 0x61);
    end();
    assert_false(is_output_high[0]);
    assert_int_equal(ends, 0);
}

/* The 8259's interrupts have no priority here; SDM 3A, "Virtual Wire Mode". */
static void test_external_interrupts(void **state)
{
    (void)state;
    write_offset(0x350, 0x700);
    write_offset(0x80, 0xFF);
    interrupt(0x45, false);
    assert_false(is_output_high[0]);
    drive(LOCAL_APIC_LINT0, true);
    assert_true(is_output_high[0]);
    assert_int_equal(local_apic_acknowledge(apic), LOCAL_APIC_EXTINT);
    assert_true(is_output_high[0]); /* until the 8259 lowers its output */
    write_offset(0x80, 0);
    assert_int_equal(local_apic_acknowledge(apic), LOCAL_APIC_EXTINT);
    drive(LOCAL_APIC_LINT0, false);
    assert_int_equal(local_apic_acknowledge(apic), 0x45);
    assert_int_equal(read_offset(0xA0), 0x40);
    drive(LOCAL_APIC_LINT0, true);
    assert_int_equal(local_apic_acknowledge(apic), LOCAL_APIC_EXTINT);
    assert_int_equal(read_offset(0xA0), 0x40);
    drive(LOCAL_APIC_LINT0, false);
    assert_false(is_output_high[0]);
    /* As a message of the I/O APIC. */
    assert_int_equal(send_to(0, APIC_EXTINT, 0x99, false), 1);
    local_apic_receive(apic);
    assert_true(is_output_high[0]);
    assert_int_equal(local_apic_acknowledge(apic), LOCAL_APIC_EXTINT);
    assert_false(is_output_high[0]);
    assert_false(test_vector(IRR, 0x99));
}

/* SDM 3A, "Enabling or Disabling the Local APIC": LINT0 is INTR and LINT1 is NMI. */
static void test_disabled(void **state)
{
    (void)state;
    drive(LOCAL_APIC_LINT0, true);
    assert_false(is_output_high[0]);
    write_msr(BASE_MSR, ADDRESS);
    assert_true(is_output_high[0]);
    assert_true(local_apic_is_pin_open(apic, LOCAL_APIC_LINT0));
    assert_true(local_apic_is_pin_open(apic, LOCAL_APIC_LINT1));
    assert_int_equal(local_apic_acknowledge(apic), LOCAL_APIC_EXTINT);
    drive(LOCAL_APIC_LINT0, false);
    assert_false(is_output_high[0]);
    assert_int_equal(local_apic_acknowledge(apic),
                     LOCAL_APIC_EXTINT); /* 8259: spurious */
    assert_int_equal(pulse(LOCAL_APIC_LINT1), LOCAL_APIC_NMI);
    for (enum apic_delivery_mode mode = APIC_FIXED; mode <= APIC_EXTINT; mode++)
        assert_int_equal(send_to(0, mode, 0x45, false), 0);
    assert_int_equal(send_to(0xFF, APIC_NMI, 0, false), APICS - 1);
    drive(LOCAL_APIC_LINT0, true);
    write_msr(BASE_MSR, ADDRESS | ENABLED);
    assert_false(is_output_high[0]);
}

#define TEST(name)                                    \
    cmocka_unit_test_setup(name, start_from_outside), \
        cmocka_unit_test_setup(name, start_direct)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_pin_modes),           TEST(test_level_pin), TEST(test_edge_pin),
        TEST(test_external_interrupts), TEST(test_disabled),
    };
    return cmocka_run_group_tests_name("local APIC pins", tests, NULL, NULL);
}
