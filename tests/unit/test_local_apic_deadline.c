/* src/dev/apic_timer.c: SDM 3A, "TSC-Deadline Mode". */
#include "apic_timer.h"

static void test_deadline(void **state)
{
    (void)state;
    uint64_t tsc = read_tsc(changes);
    write_msr(DEADLINE, tsc + 1000); /* one-shot mode: ignored */
    assert_int_equal(read_msr(DEADLINE), 0);
    assert_int_equal(alarm_time, TICKS_NEVER);

    write_offset(0x320, VECTOR | TSC_DEADLINE);
    write_msr(DEADLINE, tsc + 1000);
    assert_int_equal(read_msr(DEADLINE), tsc + 1000);
    assert_int_equal(alarm_time, clock_now + 1000);
    write_offset(0x380, 5); /* ignored */
    assert_int_equal(read_offset(0x380), 0);
    assert_int_equal(read_offset(0x390), 0);
    pass(999);
    assert_int_equal(read_msr(DEADLINE), tsc + 1000);
    assert_false(take_interrupt());
    clock_now++;
    assert_int_equal(read_msr(DEADLINE), 0); /* before the alarm is served */
    pass(0);
    assert_true(take_interrupt());
    assert_int_equal(read_msr(DEADLINE), 0);
    pass(100000);
    assert_false(take_interrupt());

    write_msr(DEADLINE, read_tsc(changes)); /* in the past */
    assert_true(take_interrupt());
    assert_int_equal(read_msr(DEADLINE), 0);
    write_msr(DEADLINE, 1);
    assert_true(take_interrupt());
    write_msr(DEADLINE, read_tsc(changes) + 500);
    write_msr(DEADLINE, 0); /* disarmed */
    assert_int_equal(alarm_time, TICKS_NEVER);
    pass(1000);
    assert_false(take_interrupt());
}

static void test_far_deadlines(void **state)
{
    (void)state;
    write_offset(0x320, VECTOR | TSC_DEADLINE);
    for (unsigned int bit = 62; bit < 64; bit++) {
        uint64_t deadline = (UINT64_C(1) << bit) | (bit == 63 ? INT64_MAX : 0);
        write_msr(DEADLINE, deadline);
        assert_int_equal(read_msr(DEADLINE), deadline);
        assert_int_equal(alarm_time, bit == 62 ? deadline - tsc_offset : TICKS_NEVER);
        assert_false(take_interrupt());
    }
}

static void test_deadline_masked(void **state)
{
    (void)state;
    write_offset(0x320, VECTOR | TSC_DEADLINE | MASKED);
    uint64_t deadline = read_tsc(changes) + 1000;
    write_msr(DEADLINE, deadline);
    assert_int_equal(alarm_time, TICKS_NEVER);
    assert_int_equal(read_msr(DEADLINE), deadline);
    write_offset(0x320, VECTOR | TSC_DEADLINE);
    assert_int_equal(alarm_time, clock_now + 1000);
    write_offset(0x320, VECTOR | TSC_DEADLINE | MASKED);
    pass(1000);
    assert_int_equal(read_msr(DEADLINE), 0);
    write_offset(0x320, VECTOR | TSC_DEADLINE);
    assert_false(take_interrupt());
}

/* A change to or from the mode stops the timer. */
static void test_deadline_mode_change(void **state)
{
    (void)state;
    start_timer(PERIODIC, 0xB, 5000);
    write_offset(0x320, VECTOR | TSC_DEADLINE);
    assert_int_equal(alarm_time, TICKS_NEVER);
    assert_int_equal(read_offset(0x380), 0);
    write_msr(DEADLINE, read_tsc(changes) + 1000);
    write_offset(0x320, VECTOR | ONE_SHOT);
    assert_int_equal(alarm_time, TICKS_NEVER);
    assert_int_equal(read_msr(DEADLINE), 0);
    write_offset(0x320, VECTOR | TSC_DEADLINE);
    assert_int_equal(read_msr(DEADLINE), 0);
    pass(100000);
    assert_false(take_interrupt());
}

static void test_tsc_change(void **state)
{
    (void)state;
    write_offset(0x320, VECTOR | TSC_DEADLINE);
    uint64_t deadline = read_tsc(changes) + 100000;
    write_msr(DEADLINE, deadline);
    tsc_offset -= 5000;
    local_apic_tsc_changed(apic);
    assert_int_equal(alarm_time, clock_now + 105000);
    tsc_offset += 25000;
    local_apic_tsc_changed(apic);
    assert_int_equal(alarm_time, clock_now + 80000);
    assert_int_equal(read_msr(DEADLINE), deadline);
    assert_false(take_interrupt());
    tsc_offset += 80000;
    local_apic_tsc_changed(apic);
    assert_true(take_interrupt());
    assert_int_equal(read_msr(DEADLINE), 0);
    start_timer(ONE_SHOT, 0xB, 5000); /* other modes do not use it */
    uint64_t alarm = alarm_time;
    tsc_offset += UINT64_MAX / 2;
    local_apic_tsc_changed(apic);
    assert_int_equal(alarm_time, alarm);
}

#define TEST(name) cmocka_unit_test_setup(name, start_enabled)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_deadline),        TEST(test_far_deadlines),
        TEST(test_deadline_masked), TEST(test_deadline_mode_change),
        TEST(test_tsc_change),
    };
    return cmocka_run_group_tests_name("local APIC TSC deadline", tests, NULL, NULL);
}
