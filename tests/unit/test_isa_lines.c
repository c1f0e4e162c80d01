/*
 * src/dev/isa_lines.c: the wiring of the ISA lines, and the ticks of the 8254 that a
 * guest counts by the 8259A, by the I/O APIC, and in turn by both.
 */
#include "pit.h"

#include "io_apic.h"

#include "dev/isa_lines.h"

#define PERIOD 1000U /* clocks of the 8254 */

static struct pic pic;
static struct isa_lines lines;
static bool pic_output;

static void output_changed(void *listener, const struct interrupt_line *line)
{
    (void)listener;
    pic_output = line->is_high;
}

/* Resets all; the guest has initialized the 8259As and masks all. */
static int start(void **state)
{
    (void)state;
    pit_start(PIT_HZ);
    pic_output = false;
    port_map_init(&test_ports, &unclaimed_accesses);
    io_apic_start();
    pic_init(&pic, &test_ports);
    pic.output.changed = output_changed;
    isa_lines_init(&lines, &pic, &io_apic);
    pit_init(&pit, &test_ports, &test_clock, &lines.line[0]);
    for (unsigned int port = 0x20; port <= 0xA0; port += 0x80) {
        port_out(port, 0x11);
        port_out(port + 1, 0x20 + (port >> 4 & 8));
        port_out(port + 1, port == 0x20 ? 4 : 2);
        port_out(port + 1, 3); /* with automatic end of interrupt */
        port_out(port + 1, 0xFF);
    }
    return 0;
}

static void mask_pic(bool is_masked)
{
    port_out(0x21, is_masked ? 0xFF : 0xFE);
}

static void mask_io_apic(bool is_masked)
{
    set_entry(2, (is_masked ? MASKED : 0) | 0x31);
}

static void test_wiring(void **state)
{
    (void)state;
    for (unsigned int line = 1; line < 16; line++) {
        for (unsigned int input = 0; input < 24; input++)
            set_entry(input, 0x40 + input);
        port_out(0x21, 0);
        port_out(0xA1, 0);
        assert_int_equal(sent(), 0);
        interrupt_line_set(&lines.line[line], true);
        assert_int_equal(sent(), line != 2);
        assert_int_equal(pic_output, line != 2);
        if (line == 2)
            continue;
        assert_int_equal(last_message.vector, 0x40 + line);
        assert_int_equal(pic_acknowledge(&pic), 0x20 + line);
        assert_false(io_apic_is_awaiting(&io_apic)); /* only the timer waits */
        interrupt_line_set(&lines.line[line], false);
        assert_int_equal(io_apic.input[line].is_high, false);
    }
    interrupt_line_set(&lines.line[0], false);
    interrupt_line_set(&lines.line[0], true);
    assert_int_equal(last_message.vector, 0x42);
    assert_int_equal(pic_acknowledge(&pic), 0x20);
    assert_int_equal(sent(), 1);
}

static void test_events(void **state)
{
    (void)state;
    mask_pic(true);
    lines.line[0].event  = record_event;
    lines.line[0].device = &events;
    mask_pic(false);
    ASSERT_EVENTS("u");
    mask_io_apic(false); /* its edges until now were lost */
    ASSERT_EVENTS("t");
    mask_pic(true);
    ASSERT_EVENTS("");
    mask_io_apic(true);
    ASSERT_EVENTS("m");
    mask_pic(true);
    mask_io_apic(true);
    ASSERT_EVENTS("");
    mask_io_apic(false);
    ASSERT_EVENTS("ut");
    interrupt_line_set(&lines.line[0], false);
    interrupt_line_set(&lines.line[0], true);
    ASSERT_EVENTS("");
    io_apic_interrupt_taken(&io_apic, 0x31);
    ASSERT_EVENTS("t");
    mask_io_apic(true);
    mask_pic(false);
    ASSERT_EVENTS("mu");
    (void)pic_acknowledge(&pic);
    ASSERT_EVENTS("t");
}

static void handle_due_alarm(void)
{
    if (alarm_time <= now)
        run_clock();
}

/* A CPU with interrupts on takes what a controller requests; returns how many ticks. */
static unsigned int take_ticks(bool uses_io_apic)
{
    unsigned int ticks = 0;
    for (bool is_taken = true; is_taken;) {
        handle_due_alarm();
        is_taken = false;
        if (!uses_io_apic && pic_output) {
            assert_int_equal(pic_acknowledge(&pic), 0x20);
            is_taken = true;
        } else if (uses_io_apic && messages > 0) {
            messages = 0; /* the IRR has one bit */
            if (io_apic_is_awaiting(&io_apic))
                io_apic_interrupt_taken(&io_apic, last_message.vector);
            is_taken = true;
        }
        ticks += is_taken;
    }
    return ticks;
}

static void start_timer(void)
{
    port_out(0x43, 0x34);
    out_both(0x40, PERIOD);
}

/* However late a CPU takes them, no tick is lost or doubled. */
static void test_late_ticks(void **state)
{
    (void)state;
    for (unsigned int uses_io_apic = 0; uses_io_apic < 2; uses_io_apic++) {
        uint64_t ticks = 0;
        start(state);
        mask_pic(uses_io_apic);
        mask_io_apic(!uses_io_apic);
        (void)take_ticks(uses_io_apic); /* of the output's rise at the reset */
        start_timer();
        uint64_t first = now + 1;
        for (unsigned int i = 0; i < 2000; i++) {
            now += random_below(i % 2 == 0 ? 300 : 90 * PERIOD);
            ticks += take_ticks(uses_io_apic);
            assert_int_equal(ticks, (now - first) / PERIOD);
        }
        assert_true(ticks > 40000);
    }
}

/* After each change of the controller that the guest uses, the ticks go on. */
static void test_changes(void **state)
{
    (void)state;
    mask_pic(false);
    start_timer();
    now++; /* the clock that loads the counter */
    for (unsigned int i = 0; i < 2000; i++) {
        bool uses_io_apic = i % 2 == 0;
        if (i % 3 != 0) { /* for a moment both are masked, or neither is */
            mask_pic(uses_io_apic);
            mask_io_apic(!uses_io_apic);
        } else {
            mask_io_apic(!uses_io_apic);
            mask_pic(uses_io_apic);
        }
        assert_true(take_ticks(uses_io_apic) <= 1);
        for (unsigned int period = 0; period < 5; period++) {
            now += PERIOD;
            assert_int_equal(take_ticks(uses_io_apic), 1);
        }
        now += random_below(PERIOD); /* some ticks wait at the next change */
        if (i % 5 != 0)
            (void)take_ticks(uses_io_apic);
        handle_due_alarm();
    }
}

/* The same if the guest leaves the 8259A unmasked, but its CPU ignores that. */
static void test_unused_pic(void **state)
{
    (void)state;
    mask_pic(false);
    start_timer();
    now += 10 * PERIOD;
    handle_due_alarm();
    mask_io_apic(false);
    (void)take_ticks(true);
    for (unsigned int period = 0; period < 100; period++) {
        now += PERIOD;
        assert_int_equal(take_ticks(true), 1);
    }
}

/* Nothing is requested, and no alarm set again and again, while both are masked. */
static void test_masked(void **state)
{
    (void)state;
    start_timer();
    now += 10 * PERIOD;
    handle_due_alarm();
    assert_int_equal(alarm_time, TICKS_NEVER);
    assert_false(pic_output);
    assert_int_equal(sent(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_wiring, start),
        cmocka_unit_test_setup(test_events, start),
        cmocka_unit_test_setup(test_late_ticks, start),
        cmocka_unit_test_setup(test_changes, start),
        cmocka_unit_test_setup(test_unused_pic, start),
        cmocka_unit_test_setup(test_masked, start),
    };
    return cmocka_run_group_tests_name("isa lines", tests, NULL, NULL);
}
