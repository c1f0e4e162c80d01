/* src/platform/pic.c, on the 8259A pair of src/dev, which test_pic.c tests. */
#include "ports.h"

#include "dev/pic.h"

/* Replaces src/cpu/instructions.h: port accesses go to the device model. */
#define HYMIR_CPU_INSTRUCTIONS_H
static uint8_t io_in8(uint16_t port)
{
    return (uint8_t)port_read(port);
}

static void io_out8(uint16_t port, uint8_t value)
{
    port_out(port, value);
}

#include "../../src/platform/pic.c"

static struct pic pic;

static void set_input(unsigned int input, bool is_high)
{
    interrupt_line_set(&pic.input[input], is_high);
}

static void output_changed(void *listener, const struct interrupt_line *output)
{
    assert_ptr_equal(listener, &pic);
    assert_ptr_equal(output, &pic.output);
}

/* As a BIOS leaves the pair: vectors 8 and 0x70, interrupts unmasked, some in service. */
static int pic_start(void **state)
{
    (void)state;
    start_ports(false);
    pic_init(&pic, &test_ports);
    pic.output.changed  = output_changed;
    pic.output.listener = &pic;
    for (unsigned int i = 0; i < 2; i++) {
        port_out(0x20 + i * 0x80, 0x11);
        port_out(0x21 + i * 0x80, i == 0 ? 0x08 : 0x70);
        port_out(0x21 + i * 0x80, i == 0 ? 0x04 : 0x02);
        port_out(0x21 + i * 0x80, 0x01);
        port_out(0x21 + i * 0x80, 0x00);
    }
    set_input(14, true);
    assert_int_equal(pic_acknowledge(&pic), 0x76);
    return 0;
}

static void unmask_all(void)
{
    port_out(0x21, 0);
    port_out(0xA1, 0);
}

/* Nothing is requested any more, and without a request the vector is Hymir's. */
static void test_masked(void **state)
{
    (void)state;
    pic_disable();
    for (unsigned int i = 0; i < 16; i++)
        set_input(i, true);
    assert_false(pic.output.is_high);
    assert_false(pic_can_interrupt(&pic));
    assert_int_equal(pic_acknowledge(&pic), 0xE7);
    assert_false(pic_end_interrupt(0xE7));
}

/* An interrupt is ended and masked; those in service before the start hold back none. */
static void test_ends(void **state)
{
    (void)state;
    pic_disable();
    set_input(14, false);
    for (unsigned int i = 0; i < 16; i++) {
        if (i == 2)
            continue; /* the cascade */
        unmask_all();
        set_input(i, true);
        assert_true(pic.output.is_high);
        assert_int_equal(pic_acknowledge(&pic), 0xE0 + i);
        assert_true(pic_end_interrupt((uint8_t)(0xE0 + i)));
        assert_int_equal(port_read(i < 8 ? 0x21 : 0xA1), 1U << i % 8);
        assert_int_equal(pic.chip[0].in_service | pic.chip[1].in_service, 0);
        set_input(i, false);
    }
}

/* A request that ends before it is acknowledged: input 7 of its chip, not in service. */
static void test_spurious(void **state)
{
    (void)state;
    pic_disable();
    set_input(14, false);
    unmask_all();
    set_input(3, true);
    set_input(3, false);
    assert_int_equal(pic_acknowledge(&pic), 0xE7);
    assert_false(pic_end_interrupt(0xE7));
    pic.chip[0].in_service = 0x04; /* as after a request of the second that has ended */
    assert_false(pic_end_interrupt(0xEF));
    assert_int_equal(pic.chip[0].in_service, 0);
    assert_int_equal(port_read(0x21) | port_read(0xA1), 0);
}

/* Input 7 with a request is none of them. */
static void test_input_7(void **state)
{
    (void)state;
    pic_disable();
    unmask_all();
    set_input(7, true);
    assert_int_equal(pic_acknowledge(&pic), 0xE7);
    assert_true(pic_end_interrupt(0xE7));
    assert_int_equal(port_read(0x21), 0x80);
}

#define TEST(function) cmocka_unit_test_setup(function, pic_start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_masked),
        TEST(test_ends),
        TEST(test_spurious),
        TEST(test_input_7),
    };
    return cmocka_run_group_tests_name("pic disable", tests, NULL, NULL);
}
