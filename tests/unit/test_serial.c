/* src/console/serial.c, on a UART that is made up here. */
#include "unit.h"

/* In the place of cpu/instructions.h: the port accesses come here. */
#define HYMIR_CPU_INSTRUCTIONS_H
static uint8_t io_in8(uint16_t port);
static void io_out8(uint16_t port, uint8_t value);

#include "../../src/console/serial.c"

#define PORT 0x3F8

static struct {
    bool is_present;
    bool is_stuck; /* never ready to send */
    uint8_t interrupt_enable, line_control, fifo_control, modem_control;
    uint8_t divisor_low, divisor_high;
    char sent[256];
    size_t sent_length;
    size_t reads;
} uart;

static uint8_t io_in8(uint16_t port)
{
    uart.reads++;
    if (!uart.is_present || port < PORT || port > PORT + 7)
        return 0xFF;
    switch (port - PORT) {
    case 1:
        return uart.interrupt_enable;
    case 5:
        return uart.is_stuck ? 0 : 0x60;
    default:
        return 0;
    }
}

static void io_out8(uint16_t port, uint8_t value)
{
    bool has_divisor = (uart.line_control & 0x80) != 0;
    assert_true(port >= PORT && port <= PORT + 7);
    switch (port - PORT) {
    case 0:
        if (has_divisor)
            uart.divisor_low = value;
        else
            uart.sent[uart.sent_length++] = (char)value;
        break;
    case 1:
        if (has_divisor)
            uart.divisor_high = value;
        else
            uart.interrupt_enable = value & 0x0F;
        break;
    case 2:
        uart.fifo_control = value;
        break;
    case 3:
        uart.line_control = value;
        break;
    case 4:
        uart.modem_control = value;
        break;
    }
}

static int start(void **state)
{
    (void)state;
    memset(&uart, 0, sizeof(uart));
    uart.is_present   = true;
    uart.divisor_low  = 0xA5;
    uart.divisor_high = 0xA5;
    return 0;
}

/* 115200 baud is the divisor 1; 8 bits, no parity, 1 stop bit are 3. PC16550D. */
static void test_setup(void **state)
{
    (void)state;
    assert_true(serial_init(PORT));
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
    assert_true(serial_init(PORT));
    serial_write("one\ntwo", 7);
    assert_int_equal(uart.sent_length, 8);
    assert_memory_equal(uart.sent, "one\r\ntwo", 8);
    serial_drain();
}

static void test_absent(void **state)
{
    (void)state;
    uart.is_present = false;
    assert_false(serial_init(PORT));
    serial_write("text", 4);
    serial_drain();
    assert_int_equal(uart.sent_length, 0);
}

/* A UART that stops costs one wait, of so many reads, however much is written. */
static void test_stuck(void **state)
{
    (void)state;
    assert_true(serial_init(PORT));
    uart.is_stuck = true;
    uart.reads    = 0;
    for (int i = 0; i < 1000; i++)
        serial_write("text\n", 5);
    serial_drain();
    assert_true(uart.reads <= SERIAL_WAIT_READS);
    assert_int_equal(uart.sent_length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_setup, start),
        cmocka_unit_test_setup(test_text, start),
        cmocka_unit_test_setup(test_absent, start),
        cmocka_unit_test_setup(test_stuck, start),
    };
    return cmocka_run_group_tests_name("serial", tests, NULL, NULL);
}
