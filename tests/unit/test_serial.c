/* src/console/serial.c, on a simulated UART. */
#include "serial_hardware.h"

/* Divisor 1 is 115200 baud; line control 3 is 8 bits, no parity, 1 stop bit. PC16550D. */
static void test_setup(void **state)
{
    (void)state;
    assert_true(init_at(PORT));
    assert_int_equal(uart.divisor_low, 1);
    assert_int_equal(uart.divisor_high, 0);
    assert_int_equal(uart.line_control, 3);
    assert_int_equal(uart.fifo_control, 7);
    assert_int_equal(uart.modem_control, 3);
    assert_int_equal(uart.interrupt_enable, 0);
}

static void test_text(void **state)
{
    (void)state;
    assert_true(init_at(PORT));
    serial_write("one\ntwo", 7);
    assert_int_equal(uart.sent_length, 8);
    assert_memory_equal(uart.sent, "one\r\ntwo", 8);
    serial_drain();
}

static void test_absent(void **state)
{
    (void)state;
    uart.is_present = false;
    assert_false(init_at(PORT));
    serial_write("text", 4);
    serial_drain();
    assert_int_equal(uart.sent_length, 0);
}

/* A UART that stops sending costs one bounded wait, regardless of the amount written. */
static void test_stuck(void **state)
{
    (void)state;
    assert_true(init_at(PORT));
    uart.is_stuck = true;
    uart.reads    = 0;
    for (int i = 0; i < 1000; i++)
        serial_write("text\n", 5);
    serial_drain();
    assert_true(uart.reads <= SERIAL_TIMEOUT_US + 2);
    assert_int_equal(uart.sent_length, 0);
}

/* Raw bytes: no carriage return is inserted before a line feed. */
static void test_send(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {'a', '\n', 0, 0xFF, '\r', '\n'};
    assert_true(init_at(PORT));
    serial_send(bytes, sizeof(bytes));
    serial_send(bytes, 0);
    assert_int_equal(uart.sent_length, sizeof(bytes));
    assert_memory_equal(uart.sent, bytes, sizeof(bytes));

    uart.is_stuck = true;
    uart.reads    = 0;
    for (int i = 0; i < 1000; i++)
        serial_send(bytes, sizeof(bytes));
    assert_true(uart.reads <= SERIAL_TIMEOUT_US + 2);
    uart.is_stuck = false;
    serial_send(bytes, sizeof(bytes)); /* abandoned permanently */
    assert_int_equal(uart.sent_length, sizeof(bytes));

    uart.is_present = false;
    assert_false(init_at(PORT));
    serial_send(bytes, sizeof(bytes));
    assert_int_equal(uart.sent_length, sizeof(bytes));
}

/* A PC's four ports share two interrupts. PC16550D: OUT2 and enable bit 0. */
static void test_start_receiving(void **state)
{
    static const struct {
        uint16_t port;
        uint32_t interrupt;
    } rows[] = {{0x3F8, 4}, {0x2F8, 3}, {0x3E8, 4}, {0x2E8, 3}};

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        uint32_t interrupt = 0;
        uart_start(state);
        assert_true(init_at(rows[i].port));
        assert_true(serial_start_receiving(&interrupt, note_arrival));
        assert_int_equal(interrupt, rows[i].interrupt);
        assert_int_equal(uart.modem_control, 0x0B);
        assert_int_equal(uart.interrupt_enable, 1);
        assert_int_equal(uart.line_control, 3);
        assert_int_equal(uart.divisor_low, 1);
        assert_int_equal(uart.sent_length, 0);
    }
}

/*
 * Other addresses have no known interrupt: the UART requests it, which polls can see, but
 * its output is not connected. An absent UART has none.
 */
static void test_no_interrupt(void **state)
{
    (void)state;
    uint32_t interrupt = 99;
    uint8_t byte;
    assert_true(init_at(0x6F8));
    assert_true(serial_start_receiving(&interrupt, note_arrival));
    assert_int_equal(interrupt, SERIAL_NO_INTERRUPT);
    assert_int_equal(uart.interrupt_enable, 1);
    serial_send_in_background();
    assert_int_equal(uart.interrupt_enable, 3);
    assert_int_equal(uart.modem_control, 3);
    uart.arriving = "x";
    assert_true(serial_receive(&byte));
    assert_int_equal(byte, 'x');

    interrupt       = 99;
    uart.is_present = false;
    assert_false(init_at(PORT));
    size_t writes = uart.writes;
    assert_false(serial_start_receiving(&interrupt, note_arrival));
    assert_int_equal(uart.writes, writes);
    assert_int_equal(interrupt, 99);
}

static void test_receive(void **state)
{
    (void)state;
    uint8_t byte = 99;
    assert_true(init_at(PORT));
    assert_false(serial_receive(&byte));
    uart.arriving = "\xFF\n";
    assert_true(serial_receive(&byte));
    assert_int_equal(byte, 0xFF);
    assert_true(serial_receive(&byte));
    assert_int_equal(byte, '\n');
    assert_false(serial_receive(&byte));
    assert_int_equal(byte, '\n');

    uart.arriving   = "never";
    uart.is_present = false; /* unplugged: reads return all ones */
    assert_false(serial_receive(&byte));
    assert_false(init_at(PORT));
    uart.reads = 0;
    assert_false(serial_receive(&byte));
    assert_int_equal(uart.reads, 0);
    assert_int_equal(byte, '\n');
    assert_string_equal(uart.arriving, "never");
}

/* Bytes received while sending are kept, and the listener is notified. */
static void test_arrives_while_sending(void **state)
{
    (void)state;
    uint32_t interrupt;
    uint8_t byte;
    char text[5001], one[2] = "";

    assert_true(init_at(PORT));
    assert_true(serial_start_receiving(&interrupt, note_arrival));
    serial_write("nothing comes\n", 14);
    assert_int_equal(notified, 0);
    /* Each byte arrives before the next one is sent: none is lost. */
    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 300; i++) {
        one[0]        = (char)('a' + i % 26);
        uart.arriving = one;
        serial_send((const uint8_t *)text, 1);
        assert_string_equal(uart.arriving, "");
        assert_int_equal(notified, i + 1);
    }
    for (int i = 0; i < 300; i++) {
        assert_true(serial_receive(&byte));
        assert_int_equal(byte, 'a' + i % 26);
    }
    assert_false(serial_receive(&byte));
    assert_int_equal(serial_lost(), 0);
    /* Bytes without room are counted, and so are overruns of the UART. */
    text[5000]    = '\0';
    uart.arriving = text;
    while (*uart.arriving != '\0')
        serial_send((const uint8_t *)"y", 1);
    assert_int_equal(serial_lost(), 5000 - 4096);
    for (int i = 0; i < 4096; i++)
        assert_true(serial_receive(&byte));
    assert_false(serial_receive(&byte));
    uart.overrun = 2;
    assert_false(serial_receive(&byte));
    assert_int_equal(serial_lost(), 5000 - 4096 + 1);
    uart.overrun = 2;
    serial_send((const uint8_t *)"z", 1);
    assert_int_equal(serial_lost(), 5000 - 4096 + 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_setup, uart_start),
        cmocka_unit_test_setup(test_text, uart_start),
        cmocka_unit_test_setup(test_absent, uart_start),
        cmocka_unit_test_setup(test_stuck, uart_start),
        cmocka_unit_test_setup(test_send, uart_start),
        cmocka_unit_test_setup(test_start_receiving, uart_start),
        cmocka_unit_test_setup(test_no_interrupt, uart_start),
        cmocka_unit_test_setup(test_receive, uart_start),
        cmocka_unit_test_setup(test_arrives_while_sending, uart_start),
    };
    return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
