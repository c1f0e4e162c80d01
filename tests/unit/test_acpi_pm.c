/* src/dev/acpi_pm.c, compared with ACPI 6.5, "Fixed Hardware Features". */
#include "device_clock.h"
#include "ports.h"

#include "dev/acpi_pm.h"
#include "random.h"
#include "x86/power_control.h"

#define STATUS  0x600
#define ENABLE  0x602
#define CONTROL 0x604
#define TIMER   0x608

static struct acpi_pm pm;
static struct guest_end end;
static struct vcpu vcpu = {.end = &end};

static void start_at(uint64_t hz)
{
    clock_start(hz);
    end = (struct guest_end){0};
    start_ports(false);
    test_ports.accessor = &vcpu;
    acpi_pm_init(&pm, &test_ports, &test_clock, &output_line);
    assert_false(test_ports.is_full);
}

static int start(void **state)
{
    (void)state;
    start_at(PM_TIMER_HZ);
    return 0;
}

/* As the guest's IN and OUT of 16 bits, which the port map splits. */
static unsigned int read_word(unsigned int port)
{
    return port_read(port) | port_read(port + 1) << 8;
}

static void write_word(unsigned int port, unsigned int value)
{
    port_out(port, value & 0xFF);
    port_out(port + 1, value >> 8);
}

/*
 * "PM1 Control Registers": SCI_EN is always 1; SLP_EN: "reads to it always return a
 * zero", and so do those to GBL_RLS and the reserved bits.
 */
static void test_registers(void **state)
{
    (void)state;
    assert_int_equal(read_word(STATUS), 0);
    assert_int_equal(read_word(ENABLE), 0);
    assert_int_equal(read_word(CONTROL), 0x0001);
    write_word(CONTROL, 0xDFFE);
    assert_int_equal(read_word(CONTROL), 0x1C03);
    write_word(CONTROL, 0);
    assert_int_equal(read_word(CONTROL), 0x0001);
    write_word(ENABLE, 0xFFFF);
    assert_int_equal(read_word(ENABLE), 0x0721);
    port_out(ENABLE + 1, 0x04); /* a byte leaves the other one as it is */
    assert_int_equal(read_word(ENABLE), 0x0421);
    port_out(ENABLE, 0x01);
    assert_int_equal(read_word(ENABLE), 0x0401);
    assert_int_equal(read_word(STATUS), 0);
    assert_false(output_line.is_high);
}

/* "Power Button Signal": PWRBTN_STS raises an SCI if PWRBTN_EN is set; 1 clears it. */
static void test_power_button(void **state)
{
    (void)state;
    acpi_pm_press_power_button(&pm);
    assert_int_equal(read_word(STATUS), 0x0100);
    assert_false(output_line.is_high);
    write_word(ENABLE, 0x0100);
    assert_true(output_line.is_high);
    write_word(STATUS, 0xFEFF);
    assert_int_equal(read_word(STATUS), 0x0100);
    assert_true(output_line.is_high);
    port_out(STATUS, 0xFF);
    assert_true(output_line.is_high);
    write_word(STATUS, 0x0100);
    assert_int_equal(read_word(STATUS), 0);
    assert_false(output_line.is_high);
    acpi_pm_press_power_button(&pm);
    acpi_pm_press_power_button(&pm);
    assert_true(output_line.is_high);
    write_word(ENABLE, 0x0001);
    assert_false(output_line.is_high);
    assert_int_equal(read_word(STATUS), 0x0100);
    assert_int_equal(rises, 2);
}

/* "Power Management (PM) Timer": 3.579545 MHz, of 32 bits, whatever the clock's rate. */
static void test_timer(void **state)
{
    (void)state;
    static const uint64_t frequencies[] = {PM_TIMER_HZ, 2000000, 14318180, 2399999123};
    for (unsigned int i = 0; i < 4 * 1000; i++) {
        start_at(frequencies[i % 4]);
        now            = random_below(UINT64_C(1) << (i % 50 + 1));
        uint64_t exact = (unsigned __int128)now * PM_TIMER_HZ / test_clock.hz;
        uint32_t value = port_read_whole(TIMER);
        assert_in_range(value - (uint32_t)exact, 0, now >> 62 != 0);
        for (unsigned int byte = 1; byte < 4; byte++)
            assert_int_equal(port_read(TIMER + byte), value >> 8 * byte & 0xFF);
        port_out(TIMER, 0);
        assert_int_equal(port_read_whole(TIMER), value);
    }
}

/*
 * "TMR_STS": "set any time the most significant bit of a 24/32-bit counter changes from
 * clear to set or set to clear".
 */
static void test_timer_status(void **state)
{
    (void)state;
    for (uint64_t carry = 1; carry < 5; carry++) {
        now = (carry << 31) - 1;
        assert_int_equal(read_word(STATUS), 0);
        now++;
        assert_int_equal(port_read_whole(TIMER), (uint32_t)(carry << 31));
        assert_int_equal(read_word(STATUS), 1);
        assert_false(output_line.is_high);
        assert_int_equal(alarm_time, TICKS_NEVER);
        write_word(STATUS, 1);
        assert_int_equal(read_word(STATUS), 0);
    }
    now = UINT64_C(5) << 31;
    write_word(STATUS, 1); /* it was set before */
    assert_int_equal(read_word(STATUS), 0);
}

static void test_timer_interrupt(void **state)
{
    (void)state;
    static const uint64_t frequencies[] = {PM_TIMER_HZ, 2000000, 14318180, 2399999123};
    for (size_t i = 0; i < 4; i++) {
        start_at(frequencies[i]);
        now = test_clock.hz;
        write_word(ENABLE, 1);
        for (uint64_t carry = 1; carry < 5; carry++) {
            uint64_t time =
                ((unsigned __int128)(carry << 31) * test_clock.hz + PM_TIMER_HZ - 1) /
                PM_TIMER_HZ;
            assert_int_equal(alarm_time, time);
            now = time - 1;
            assert_int_equal(read_word(STATUS), 0);
            now = time + (carry == 2 ? 1000 : 0);
            run_clock();
            assert_true(output_line.is_high);
            assert_int_equal(read_word(STATUS), 1);
            write_word(STATUS, 1);
            assert_false(output_line.is_high);
            assert_int_equal(rises, carry);
        }
        write_word(ENABLE, 0);
        assert_int_equal(alarm_time, TICKS_NEVER);
    }
}

/* "SLP_EN": "causes the system to sequence into the sleeping state" of SLP_TYP. */
static void test_sleep(void **state)
{
    (void)state;
    for (unsigned int type = 1; type < 8; type++) {
        write_word(CONTROL, type << 10);
        write_word(CONTROL, type << 10 | 0x2000);
        assert_int_equal(read_word(CONTROL), type << 10 | 1);
    }
    write_word(CONTROL, 0x0001);
    assert_string_equal(end.text, "");
    port_out(CONTROL, 0x20);
    assert_int_equal(port_write(CONTROL + 1, 0x20), EXIT_STOP);
    assert_string_equal(end.text, "powered off by port 0x604");
    assert_int_equal(end.kind, GUEST_END_REQUESTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_registers, start),
        cmocka_unit_test_setup(test_power_button, start),
        cmocka_unit_test_setup(test_timer, start),
        cmocka_unit_test_setup(test_timer_status, start),
        cmocka_unit_test_setup(test_timer_interrupt, start),
        cmocka_unit_test_setup(test_sleep, start),
    };
    return cmocka_run_group_tests_name("acpi pm", tests, NULL, NULL);
}
