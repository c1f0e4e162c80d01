/* src/console/serial.c: UARTs in memory, probing, speeds, and changing the port. */
#include "serial_hardware.h"

#define ADDRESS UINT64_C(0xFE030000)

static struct serial_port put_in_memory(uint64_t address, uint8_t stride)
{
    uart.place = serial_port_in_memory(address, stride);
    return uart.place;
}

/* Registers 1, 2, 4 or 8 bytes apart, below and above 4 GiB. */
static void test_layouts(void **state)
{
    static const uint64_t addresses[] = {ADDRESS, UINT64_C(0x3F800000000)};
    static const uint8_t strides[]    = {1, 2, 4, 8};

    for (size_t i = 0; i < ARRAY_SIZE(addresses) * ARRAY_SIZE(strides); i++) {
        uart_start(state);
        const struct serial_port at =
            put_in_memory(addresses[i % 2], strides[i / ARRAY_SIZE(addresses)]);
        uart.has_fifo = true;
        assert_true(serial_init(&at));
        assert_int_equal(uart.line_control, 3);
        assert_int_equal(uart.fifo_control, 7);
        assert_int_equal(uart.modem_control, 3);
        serial_write("one\n", 4);
        assert_int_equal(uart.sent_length, 5);
        assert_memory_equal(uart.sent, "one\r\n", 5);
        assert_true(uart.fifo_longest > 1);
    }
}

/* An access may be narrower than the distance of the registers. */
static void test_width(void **state)
{
    (void)state;
    struct serial_port at = put_in_memory(ADDRESS, 4);
    at.width = uart.place.width = 1;
    assert_true(serial_init(&at));
    serial_write("x", 1);
    assert_int_equal(uart.sent_length, 1);
}

/* Neither RAM by the memory map nor what behaves like RAM is used; the first is not
 * accessed. */
static void test_ram(void **state)
{
    (void)state;
    struct serial_port at = put_in_memory(RAM_END - 8, 4);
    assert_int_equal(serial_probe(&at), STATUS_OUT_OF_RANGE);
    assert_false(serial_init(&at));
    serial_write("text", 4);
    serial_drain();
    assert_int_equal(uart.reads + uart.writes, 0);

    at          = put_in_memory(ADDRESS, 4);
    uart.is_ram = true;
    assert_int_equal(serial_probe(&at), STATUS_NOT_FOUND);
    uart.mapped = 0;
    assert_false(serial_init(&at));
    size_t writes = uart.writes;
    serial_write("text", 4);
    assert_int_equal(uart.writes, writes);
}

/* What reads as all ones is not written to. */
static void test_all_ones(void **state)
{
    (void)state;
    const struct serial_port places[] = {serial_port_at(0x2F8),
                                         put_in_memory(ADDRESS, 1)};
    uart.is_present                   = false;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        assert_int_equal(serial_probe(&places[i]), STATUS_NOT_FOUND);
    assert_int_equal(uart.writes, 0);
}

/* Divisor = clock / (16 * speed): PC16550D, "Programmable Baud Generator". */
static void test_speed(void **state)
{
    static const struct {
        uint32_t baud, clock_hz;
        uint16_t divisor;
    } rows[] = {
        {115200, 1843200, 1},   {57600, 1843200, 2},       {9600, 1843200, 12},
        {0, 1843200, 0xA5A5},   {921600, 1843200, 0xA5A5}, {115200, 0, 0xA5A5},
        {921600, 14745600, 1},  {115200, 48000000, 26},    {300, 48000000, 10000},
        {1, 100000000, 0xA5A5},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uart_start(state);
        struct serial_port at = serial_port_at(PORT);
        at.baud               = rows[i].baud;
        at.clock_hz           = rows[i].clock_hz;
        assert_true(serial_init(&at));
        assert_int_equal(uart.divisor_high << 8 | uart.divisor_low, rows[i].divisor);
        assert_int_equal(uart.line_control, 3);
    }
}

/*
 * A port whose speed is to stay as firmware left it gets back what it had before Hymir
 * used it first.
 */
static void test_as_found(void **state)
{
    (void)state;
    struct serial_port at = serial_port_at(PORT);
    uart.divisor_low      = 3;
    uart.divisor_high     = 0;
    assert_true(init_at(PORT));
    assert_int_equal(uart.divisor_low, 1);
    assert_true(serial_is_using(&at));
    at.baud = SERIAL_BAUD_AS_IS;
    assert_false(serial_is_using(&at));
    assert_true(serial_init(&at));
    assert_int_equal(uart.divisor_low, 3);
    assert_true(serial_is_using(&at));
    at.baud = 38400;
    assert_true(serial_is_using(&at));
    at = serial_port_at(0x2F8);
    assert_false(serial_is_using(&at));
    at = serial_port_in_memory(PORT, 1);
    assert_false(serial_is_using(&at));
    assert_int_equal(serial_get_port()->address, PORT);
    assert_int_equal(serial_get_port()->space, SERIAL_SPACE_IO);
}

/* Its interrupt is the one that firmware names. */
static void test_interrupt(void **state)
{
    (void)state;
    uint32_t interrupt;
    struct serial_port at = put_in_memory(ADDRESS, 4);
    at.interrupt          = 39;
    assert_true(serial_init(&at));
    assert_true(serial_start_receiving(&interrupt, note_arrival));
    assert_int_equal(interrupt, 39);
    assert_int_equal(uart.modem_control, 0x0B);
    assert_int_equal(uart.interrupt_enable, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_layouts, uart_start),
        cmocka_unit_test_setup(test_width, uart_start),
        cmocka_unit_test_setup(test_ram, uart_start),
        cmocka_unit_test_setup(test_all_ones, uart_start),
        cmocka_unit_test_setup(test_speed, uart_start),
        cmocka_unit_test_setup(test_as_found, uart_start),
        cmocka_unit_test_setup(test_interrupt, uart_start),
    };
    return cmocka_run_group_tests_name("serial_memory", tests, NULL, NULL);
}
