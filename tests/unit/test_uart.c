/*
 * src/dev/uart.c, compared with the PC16550D data sheet and the probes of Linux and
 * FreeBSD.
 */
#include "uart.h"

static void test_reset(void **state)
{
    (void)state;
    static const unsigned int values[] = {0, 0, 1, 0, 0, EMPTY, 0xB0, 0};
    start_ports(false);
    init_uart();
    for (unsigned int offset = 1; offset < 8; offset++)
        assert_int_equal(in(offset), values[offset]);
    assert_int_equal(port_map_find(&test_ports, COM)->first, COM);
    assert_int_equal(port_map_find(&test_ports, COM)->last, COM + 7);
    assert_false(output_line.is_high);
    assert_int_equal(count_sent(), 0);
}

/* Bits that are always 0, and registers that the divisor latch hides. */
static void test_registers(void **state)
{
    (void)state;
    for (unsigned int value = 0; value < 0x100; value++) {
        out(SCRATCH, value);
        out(LINE_CONTROL, value & ~DLAB);
        out(INTERRUPT_ENABLE, value);
        out(MODEM_CONTROL, value);
        out(LINE_STATUS, value);
        out(MODEM_STATUS, value);
        assert_int_equal(in(SCRATCH), value);
        assert_int_equal(in(LINE_CONTROL), value & ~DLAB);
        assert_int_equal(in(INTERRUPT_ENABLE), value & 0x0F);
        assert_int_equal(in(MODEM_CONTROL), value & 0x1F);
        out(LINE_CONTROL, value | DLAB);
        out(DATA, value);
        out(INTERRUPT_ENABLE, value ^ 0xFF);
        assert_int_equal(in(DATA), value);
        assert_int_equal(in(INTERRUPT_ENABLE), value ^ 0xFF);
        assert_int_equal(in(SCRATCH), value);
        out(LINE_CONTROL, 3);
        assert_int_equal(in(INTERRUPT_ENABLE), value & 0x0F);
        assert_int_equal(in(LINE_STATUS), EMPTY);
    }
    assert_int_equal(count_sent(), 0);
    out(MODEM_CONTROL, 0);
    receive_text("a");
    out(LINE_CONTROL, 3 | DLAB);
    in(DATA); /* the divisor */
    out(LINE_CONTROL, 3);
    expect_text("a");
}

static void test_sending(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < SEND_HISTORY; i++) {
        out(DATA, i * 5);
        bool is_empty = SEND_HISTORY - (i + 1) >= FIFO_SIZE;
        assert_int_equal(in(LINE_STATUS), is_empty ? EMPTY : 0);
        assert_int_equal(starts, 1);
    }
    for (unsigned int i = 0; i < SEND_HISTORY; i++)
        assert_int_equal(sent[i], i * 5 & 0xFF);
    assert_int_equal(count_sent(), SEND_HISTORY);
}

/* All four are pending: each is reported after those of higher priority. */
static void test_priorities(void **state)
{
    (void)state;
    for (unsigned int fifo = 0; fifo < 2; fifo++) {
        start_uart(state);
        out(FIFO_CONTROL, fifo);
        for (unsigned int i = 0; i <= UART_BUFFER_SIZE; i++)
            uart_receive(&uart, (uint8_t)i);
        out(MODEM_CONTROL, LOOPBACK); /* the modem lines change */
        out(MODEM_CONTROL, OUT2);
        out(INTERRUPT_ENABLE, 0x0F);
        expect_interrupt(LINE);
        expect_interrupt(LINE); /* reading the identification does not clear it */
        assert_int_equal(in(LINE_STATUS), EMPTY | READY | OVERRUN);
        expect_interrupt(RECEIVED);
        for (unsigned int i = 0; i < UART_BUFFER_SIZE; i++) {
            expect_interrupt(RECEIVED);
            assert_int_equal(in(DATA), i & 0xFF);
        }
        expect_interrupt(SENT);
        expect_interrupt(MODEM);
        expect_interrupt(MODEM);
        assert_int_equal(in(MODEM_STATUS)&0xFB, 0xBB);
        expect_interrupt(NOTHING);
        assert_int_equal(in(INTERRUPT_ID), NOTHING | (fifo == 1 ? WITH_FIFOS : 0));
    }
}

/* A disabled interrupt is not pending, although its cause is. */
static void test_enabled_each(void **state)
{
    (void)state;
    static const unsigned int ids[] = {RECEIVED, SENT, LINE, MODEM};
    for (unsigned int enabled = 0; enabled < 0x10; enabled++) {
        start_uart(state);
        for (unsigned int i = 0; i <= UART_BUFFER_SIZE; i++)
            uart_receive(&uart, 0);
        out(MODEM_CONTROL, LOOPBACK);
        out(MODEM_CONTROL, OUT2);
        out(INTERRUPT_ENABLE, enabled);
        unsigned int id = (enabled & 4) != 0   ? ids[2]
                          : (enabled & 1) != 0 ? ids[0]
                          : (enabled & 2) != 0 ? ids[1]
                          : (enabled & 8) != 0 ? ids[3]
                                               : NOTHING;
        expect_interrupt(id);
        assert_int_equal(in(LINE_STATUS), EMPTY | READY | OVERRUN);
        assert_int_equal(in(MODEM_STATUS)&0x0B, 0x0B);
    }
}

static void test_sent_interrupt(void **state)
{
    (void)state;
    out(INTERRUPT_ENABLE, 2); /* empty: enabling is sufficient */
    expect_interrupt(SENT);
    expect_interrupt(NOTHING);
    out(INTERRUPT_ENABLE, 2); /* already enabled */
    expect_interrupt(NOTHING);
    out(DATA, 'a');
    expect_interrupt(SENT);
    expect_interrupt(NOTHING);
    out(DATA, 'b');
    out(INTERRUPT_ENABLE, 0);
    expect_interrupt(NOTHING);
    out(INTERRUPT_ENABLE, 2);
    expect_interrupt(SENT);
    /* Reporting another interrupt does not clear it. */
    out(DATA, 'c');
    receive_text("x");
    out(INTERRUPT_ENABLE, 3);
    expect_interrupt(RECEIVED);
    expect_text("x");
    expect_interrupt(SENT);
    expect_interrupt(NOTHING);
    /* Linux, serial8250_do_startup: it is raised repeatedly. */
    for (unsigned int i = 0; i < 3; i++) {
        out(INTERRUPT_ENABLE, 0);
        out(INTERRUPT_ENABLE, 2);
        expect_interrupt(SENT);
    }
    assert_memory_equal(sent, "abc", 3);
}

static void test_gate(void **state)
{
    (void)state;
    out(MODEM_CONTROL, 0);
    out(INTERRUPT_ENABLE, 1);
    receive_text("a");
    assert_false(output_line.is_high);
    assert_int_equal(in(INTERRUPT_ID), RECEIVED); /* the UART itself has no gate */
    out(MODEM_CONTROL, 0x07);
    assert_false(output_line.is_high);
    out(MODEM_CONTROL, OUT2);
    assert_true(output_line.is_high);
    out(MODEM_CONTROL, OUT2 | LOOPBACK); /* outputs are inactive in loopback */
    assert_false(output_line.is_high);
    assert_int_equal(in(INTERRUPT_ID), RECEIVED);
    out(MODEM_CONTROL, OUT2);
    assert_true(output_line.is_high);
    expect_text("a");
    assert_false(output_line.is_high);
}

/* Below the trigger level, the time-out reports received bytes. */
static void test_trigger_levels(void **state)
{
    (void)state;
    static const unsigned int levels[] = {1, 4, 8, 14};
    out(INTERRUPT_ENABLE, 1);
    for (unsigned int i = 0; i < 4; i++) {
        out(FIFO_CONTROL, 1 | i << 6);
        assert_int_equal(in(INTERRUPT_ID), WITH_FIFOS | NOTHING);
        for (unsigned int count = 1; count <= 40; count++) {
            uart_receive(&uart, (uint8_t)count);
            expect_interrupt(count < levels[i] ? TIME_OUT : RECEIVED);
        }
        for (unsigned int count = 40; count > 0; count--) {
            expect_interrupt(count < levels[i] ? TIME_OUT : RECEIVED);
            assert_int_equal(in(DATA), 41 - count);
        }
        expect_interrupt(NOTHING);
    }
    out(FIFO_CONTROL, 0xC0); /* FIFOs off: one byte is sufficient */
    receive_text("a");
    assert_int_equal(in(INTERRUPT_ID), RECEIVED);
}

static void test_fifo_control(void **state)
{
    (void)state;
    static const struct {
        unsigned int before, after;
        bool is_kept;
    } cases[] = {
        {0, 0, true},  {1, 1, true},  {1, 5, true},  {1, 0xC1, true},
        {0, 1, false}, {1, 0, false}, {1, 3, false}, {1, 7, false},
        {1, 2, false}, {0, 2, true}, /* "must be a 1 when other FCR bits are written" */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start_uart(state);
        out(FIFO_CONTROL, cases[i].before);
        out(INTERRUPT_ENABLE, 1);
        receive_text("abc");
        out(FIFO_CONTROL, cases[i].after);
        assert_int_equal(output_line.is_high, cases[i].is_kept || cases[i].before == 0);
        bool has_fifos = (cases[i].after & 1) != 0;
        assert_int_equal(in(INTERRUPT_ID)&WITH_FIFOS, has_fifos ? WITH_FIFOS : 0);
        expect_text(cases[i].is_kept ? "abc" : cases[i].before == 0 ? "bc" : "");
        assert_int_equal(uart.lost, cases[i].is_kept ? 0 : cases[i].before == 0 ? 1 : 3);
        receive_text("def");
        expect_text("def");
    }
}

/* Bytes that have not reached the FIFO yet are not cleared. */
static void test_clear_behind_fifo(void **state)
{
    (void)state;
    out(FIFO_CONTROL, 1);
    receive_text("abcdefghijklmnopqr");
    out(FIFO_CONTROL, 3);
    assert_int_equal(uart.lost, 16);
    expect_text("qr");
}

static void test_overrun(void **state)
{
    (void)state;
    out(FIFO_CONTROL, 1);
    out(INTERRUPT_ENABLE, 4);
    for (unsigned int i = 0; i < UART_BUFFER_SIZE; i++) {
        assert_int_equal(uart_room(&uart), UART_BUFFER_SIZE - i);
        uart_receive(&uart, (uint8_t)(i * 7));
    }
    assert_int_equal(uart_room(&uart), 0);
    expect_interrupt(NOTHING);
    assert_int_equal(uart.lost, 0);
    receive_text("lost");
    assert_int_equal(uart.lost, 4);
    expect_interrupt(LINE);
    assert_int_equal(in(LINE_STATUS), EMPTY | READY | OVERRUN);
    expect_interrupt(NOTHING);
    assert_int_equal(in(LINE_STATUS), EMPTY | READY);
    for (unsigned int i = 0; i < UART_BUFFER_SIZE; i++)
        assert_int_equal(in(DATA), i * 7 & 0xFF);
    assert_int_equal(in(LINE_STATUS), EMPTY);
    receive_text("again");
    expect_text("again");
    assert_int_equal(uart.lost, 4);
}

/* Linux, 8250_port.c, autoconfig: a 16550A, and no later model. */
static void test_linux_probe(void **state)
{
    (void)state;
    out(MODEM_CONTROL, 0);
    for (unsigned int i = 0; i < 2; i++) {
        out(INTERRUPT_ENABLE, i * 0x0F);
        assert_int_equal(in(INTERRUPT_ENABLE)&0x0F, i * 0x0F);
    }
    out(INTERRUPT_ENABLE, 0);
    out(MODEM_CONTROL, LOOPBACK | 0x0A);
    assert_int_equal(in(MODEM_STATUS)&0xF0, 0x90);
    out(MODEM_CONTROL, 0);
    out(LINE_CONTROL, 0xBF); /* no enhanced registers */
    out(INTERRUPT_ID, 0);
    out(LINE_CONTROL, 0);
    out(FIFO_CONTROL, 1);
    assert_int_equal(in(INTERRUPT_ID) >> 6, 3);
    /* autoconfig_16550a: no EFR with DLAB alone, nor with 0xBF; no EXCR1; no 64 bytes. */
    out(LINE_CONTROL, DLAB);
    assert_int_not_equal(in(INTERRUPT_ID), 0);
    out(LINE_CONTROL, 0xBF);
    assert_int_not_equal(in(INTERRUPT_ID), 0);
    for (unsigned int i = 0; i < 2; i++) {
        out(LINE_CONTROL, i * DLAB);
        out(FIFO_CONTROL, 0x21);
        assert_int_equal(in(INTERRUPT_ID)&0xE0, WITH_FIFOS);
        out(FIFO_CONTROL, 1);
    }
    out(LINE_CONTROL, 0);
    out(INTERRUPT_ENABLE, 0x40);
    assert_int_equal(in(INTERRUPT_ENABLE), 0);
    /* serial8250_clear_fifos, and the test of THRE and TEMT at startup. */
    out(FIFO_CONTROL, 1);
    out(FIFO_CONTROL, 7);
    out(FIFO_CONTROL, 0);
    assert_int_not_equal(in(LINE_STATUS), 0xFF);
    out(INTERRUPT_ENABLE, 2);
    assert_int_equal(in(LINE_STATUS)&EMPTY, EMPTY);
    assert_int_equal(in(INTERRUPT_ID), SENT);
    assert_int_equal(count_sent(), 0);
    assert_false(output_line.is_high);
}

/* Returns how many of 256 bytes sent in loopback are received: Linux's size_fifo. */
static unsigned int count_received(void)
{
    unsigned int count = 0;
    out(MODEM_CONTROL, LOOPBACK);
    for (unsigned int i = 0; i < 256; i++)
        out(DATA, i);
    for (; (in(LINE_STATUS)&READY) != 0; count++)
        in(DATA);
    return count;
}

/* FreeBSD's ns8250 sends until there is an overrun; 16 bytes mean a 16550. */
static void test_fifo_size(void **state)
{
    unsigned int count = 0;
    out(FIFO_CONTROL, 7);
    assert_int_equal(count_received(), FIFO_SIZE);
    start_uart(state);
    out(FIFO_CONTROL, 7);
    out(MODEM_CONTROL, LOOPBACK);
    for (unsigned int status = 0; (status & OVERRUN) == 0 && count < 260; count++) {
        out(DATA, 0);
        status = in(LINE_STATUS);
    }
    assert_int_equal(count - 1, FIFO_SIZE);
    start_uart(state); /* without FIFOs */
    assert_int_equal(count_received(), 1);
    assert_int_equal(count_sent(), 0);
    assert_int_equal(uart.lost, 0); /* from loopback */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UART_TEST(test_reset),        UART_TEST(test_registers),
        UART_TEST(test_sending),      UART_TEST(test_priorities),
        UART_TEST(test_enabled_each), UART_TEST(test_sent_interrupt),
        UART_TEST(test_gate),         UART_TEST(test_trigger_levels),
        UART_TEST(test_fifo_control), UART_TEST(test_clear_behind_fifo),
        UART_TEST(test_overrun),      UART_TEST(test_linux_probe),
        UART_TEST(test_fifo_size),
    };
    return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
