/* src/console/serial.c: sending in the background. */
#include "serial_hardware.h"

/* Sends what the FIFO holds, as a UART does in time, and continues at its interrupt. */
static void send_fifo(void)
{
    uart.fifo_length = 0;
    serial_continue();
}

/* In the background nothing waits: each interrupt gives the UART a FIFO of bytes. */
static void test_background(void **state)
{
    char text[100];
    uint32_t interrupt;
    (void)state;
    uart.has_fifo = true;
    assert_true(init_at(PORT));
    assert_true(serial_start_receiving(&interrupt, note_arrival));
    serial_send_in_background();
    assert_int_equal(uart.interrupt_enable, 3);
    assert_int_equal(uart.modem_control, 0x0B);
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('0' + i);
    uart.reads = 0;
    serial_write(text, sizeof(text));
    assert_int_equal(uart.sent_length, 16);
    for (size_t i = 2; i <= 6; i++) {
        serial_continue();
        serial_write("", 0);
        assert_int_equal(uart.sent_length, 16 * (i - 1)); /* the FIFO is not empty */
        send_fifo();
        assert_int_equal(uart.sent_length, 16 * i);
    }
    assert_true(uart.reads < 50);
    send_fifo();
    assert_int_equal(serial_queued(), 0);
    assert_memory_equal(uart.sent, text, sizeof(text));
    assert_int_equal(uart.fifo_longest, 16);
    send_fifo();
    assert_int_equal(uart.sent_length, sizeof(text));
}

/* Without a FIFO: one byte at an interrupt. */
static void test_background_without_fifo(void **state)
{
    (void)state;
    assert_true(init_at(PORT));
    serial_send_in_background();
    serial_write("abc", 3);
    assert_int_equal(uart.sent_length, 1);
    serial_continue();
    assert_int_equal(uart.sent_length, 2);
}

/* Draining sends what is queued, and from then on sending waits again. */
static void test_background_ends(void **state)
{
    (void)state;
    assert_true(init_at(PORT));
    serial_send_in_background();
    serial_write("one\n", 4);
    serial_write("two\n", 4);
    assert_int_equal(serial_queued(), 8);
    serial_drain();
    assert_int_equal(serial_queued(), 0);
    serial_write("three\n", 6);
    assert_int_equal(uart.sent_length, 17);
    assert_memory_equal(uart.sent, "one\r\ntwo\r\nthree\r\n", 17);
}

/* serial_finish sends what is queued, on any CPU. */
static void test_background_finish(void **state)
{
    static struct cpu other_cpu;
    (void)state;
    assert_true(init_at(PORT));
    serial_send_in_background();
    current_cpu = &other_cpu;
    serial_write("abcdefgh", 8);
    serial_finish();
    assert_int_equal(uart.sent_length, 8);
    serial_finish();
}

/*
 * A UART that stops sending is abandoned: by the boot CPU in the background, and by each
 * CPU that waits for room. A slow one is not.
 */
static void test_background_stuck(void **state)
{
    static struct cpu other_cpu;
    (void)state;
    uart.has_fifo = true;
    assert_true(init_at(PORT));
    serial_send_in_background();
    for (int i = 0; i < 400; i++)
        serial_write("0123456789", 10);
    for (int i = 0; i < 20; i++) {
        time_us += SERIAL_TIMEOUT_US - 10;
        serial_continue();
        send_fifo();
    }
    assert_true(serial_is_present());
    assert_int_equal(uart.sent_length, 10 + 20 * 16);
    time_us += 2 * SERIAL_TIMEOUT_US;
    current_cpu = &other_cpu; /* another CPU's TSC may differ */
    serial_continue();
    assert_true(serial_is_present());
    current_cpu = &boot_cpu;
    serial_continue(); /* its deadline starts again after a FIFO was sent */
    time_us += 2 * SERIAL_TIMEOUT_US;
    serial_continue();
    assert_false(serial_is_present());
    assert_int_equal(serial_queued(), 0);
    serial_write("text", 4);
    serial_finish();
    assert_int_equal(serial_queued(), 0);

    uart_start(state);
    uart.has_fifo = true;
    assert_true(init_at(PORT));
    serial_send_in_background();
    current_cpu = &other_cpu;
    uart.reads  = 0;
    for (int i = 0; i < SERIAL_QUEUE_SIZE; i += 4)
        serial_write("text", 4);
    assert_true(serial_is_present());
    assert_true(uart.reads < SERIAL_QUEUE_SIZE);
    for (int i = 0; i < 100; i++)
        serial_write("text", 4);
    assert_false(serial_is_present());
    assert_true(uart.reads < 2 * SERIAL_TIMEOUT_US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_background, uart_start),
        cmocka_unit_test_setup(test_background_without_fifo, uart_start),
        cmocka_unit_test_setup(test_background_ends, uart_start),
        cmocka_unit_test_setup(test_background_finish, uart_start),
        cmocka_unit_test_setup(test_background_stuck, uart_start),
    };
    return cmocka_run_group_tests_name("serial background", tests, NULL, NULL);
}
