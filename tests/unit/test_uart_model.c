/*
 * src/dev/uart.c: loopback and modem lines; a full transmitter; random accesses, compared
 * with a model.
 */
#include "uart.h"

#include "random.h"

static void test_loopback_data(void **state)
{
    (void)state;
    out(FIFO_CONTROL, 1);
    out(MODEM_CONTROL, LOOPBACK | OUT2);
    out(INTERRUPT_ENABLE, 3);
    for (unsigned int i = 0; i < 256; i++) {
        out(DATA, i);
        assert_int_equal(in(LINE_STATUS), EMPTY | READY);
        assert_int_equal(in(INTERRUPT_ID), WITH_FIFOS | RECEIVED);
        assert_int_equal(in(DATA), i);
        assert_int_equal(in(INTERRUPT_ID), WITH_FIFOS | SENT);
        assert_int_equal(in(INTERRUPT_ID), WITH_FIFOS | NOTHING);
    }
    for (unsigned int i = 0; i < FIFO_SIZE; i++)
        out(DATA, 'a' + i);
    expect_text("abcdefghijklmnop");
    assert_int_equal(count_sent(), 0);
    assert_false(output_line.is_high);
    out(DATA, 'q'); /* it stays after loopback, because it was received */
    out(MODEM_CONTROL, OUT2);
    receive_text("r");
    expect_text("qr");
    out(DATA, 'b');
    assert_int_equal(count_sent(), 1);
}

/* With FIFOs an overrun loses the new byte; without FIFOs, the previous one. */
static void test_loopback_overrun(void **state)
{
    (void)state;
    for (unsigned int fifo = 0; fifo < 2; fifo++) {
        unsigned int size = fifo == 1 ? FIFO_SIZE : 1;
        start_uart(state);
        out(FIFO_CONTROL, fifo);
        out(INTERRUPT_ENABLE, 4);
        out(MODEM_CONTROL, LOOPBACK | OUT2);
        for (unsigned int i = 0; i < size; i++)
            out(DATA, 'a' + i);
        assert_int_equal(in(LINE_STATUS), EMPTY | READY);
        out(DATA, 'z');
        assert_int_equal(in(INTERRUPT_ID) & ~WITH_FIFOS, LINE);
        assert_int_equal(in(LINE_STATUS), EMPTY | READY | OVERRUN);
        assert_int_equal(in(INTERRUPT_ID) & ~WITH_FIFOS, NOTHING);
        expect_text(fifo == 1 ? "abcdefghijklmnop" : "z");
    }
}

/* The receiver's input is disconnected; uart_room returns 0. */
static void test_loopback_disconnects(void **state)
{
    (void)state;
    out(FIFO_CONTROL, 1);
    receive_text("a");
    out(MODEM_CONTROL, LOOPBACK);
    assert_int_equal(uart_room(&uart), 0);
    out(DATA, 'b');
    receive_text("typed");
    assert_int_equal(in(LINE_STATUS), EMPTY | READY); /* which is not an overrun */
    out(DATA, 'c');
    expect_text("abc");
    assert_int_equal(uart.lost, 5);
    out(MODEM_CONTROL, 0);
    assert_int_equal(uart_room(&uart), UART_BUFFER_SIZE);
    receive_text("d");
    expect_text("d");
}

/* DTR, RTS, OUT1 and OUT2 become DSR, CTS, RI and DCD; only the end of RI is reported. */
static void test_loopback_modem(void **state)
{
    (void)state;
    out(INTERRUPT_ENABLE, 8);
    for (unsigned int i = 0; i < 16 * 16; i++) {
        static const unsigned int levels[] = {0x20, 0x10, 0x40, 0x80};
        static const unsigned int deltas[] = {0x02, 0x01, 0x04, 0x08};
        unsigned int before = i / 16, after = i % 16, level = 0, delta = 0;
        for (unsigned int bit = 0; bit < 4; bit++) {
            bool was = (before >> bit & 1) != 0, is = (after >> bit & 1) != 0;
            level |= is ? levels[bit] : 0;
            delta |= was != is && (bit != 2 || was) ? deltas[bit] : 0;
        }
        out(MODEM_CONTROL, LOOPBACK | before);
        in(MODEM_STATUS);
        assert_int_equal(in(INTERRUPT_ID), NOTHING);
        out(MODEM_CONTROL, LOOPBACK | after);
        assert_int_equal(in(INTERRUPT_ID), delta != 0 ? MODEM : NOTHING);
        assert_int_equal(in(MODEM_STATUS), level | delta);
        assert_int_equal(in(INTERRUPT_ID), NOTHING);
        assert_int_equal(in(MODEM_STATUS), level);
    }
    out(MODEM_CONTROL, 0x0F); /* the external lines do not change */
    in(MODEM_STATUS);
    out(MODEM_CONTROL, 0);
    assert_int_equal(in(MODEM_STATUS), 0xB0);
}

/* Changes accumulate until they are read. */
static void test_modem_changes(void **state)
{
    (void)state;
    out(MODEM_CONTROL, LOOPBACK);
    in(MODEM_STATUS);
    out(MODEM_CONTROL, LOOPBACK | 1);
    out(MODEM_CONTROL, LOOPBACK);
    out(MODEM_CONTROL, LOOPBACK | 2);
    assert_int_equal(in(MODEM_STATUS), 0x13);
}

/* A byte without room waits, and nothing else happens; the transmitter is not empty. */
static void test_full(void **state)
{
    static const unsigned int enables[] = {0, 2, 0x0F};

    for (size_t i = 0; i < ARRAY_SIZE(enables); i++) {
        start_uart(state);
        out(INTERRUPT_ENABLE, enables[i]);
        for (unsigned int byte = 0; byte < SEND_HISTORY; byte++)
            out(DATA, byte);
        in(INTERRUPT_ID);
        for (unsigned int tries = 0; tries < 3; tries++) {
            assert_int_equal(port_write(COM + DATA, 0xEE), EXIT_RESUME);
            assert_int_equal(count_sent(), SEND_HISTORY);
            assert_int_equal(in(LINE_STATUS), 0);
            expect_interrupt(NOTHING);
        }
        assert_int_equal(take_output(FIFO_SIZE - 1), FIFO_SIZE - 1);
        uart_update_transmitter(&uart);
        assert_int_equal(in(LINE_STATUS), 0);
        expect_interrupt(NOTHING);
        assert_int_equal(port_write(COM + DATA, 0xEE), EXIT_NEXT);
        assert_int_equal(take_output(2), 2);
        uart_update_transmitter(&uart);
        assert_int_equal(in(LINE_STATUS), EMPTY);
        expect_interrupt((enables[i] & 2) != 0 ? SENT : NOTHING);
        expect_interrupt(NOTHING);
        uart_update_transmitter(&uart); /* once */
        expect_interrupt(NOTHING);
        take_output(SEND_HISTORY);
        out(DATA, 0);
        assert_int_equal(starts, 2);
    }
    /* Enabled while it is full, the interrupt comes when there is room. */
    start_uart(state);
    for (unsigned int byte = 0; byte < SEND_HISTORY; byte++)
        out(DATA, byte);
    out(INTERRUPT_ENABLE, 2);
    expect_interrupt(NOTHING);
    take_output(SEND_HISTORY);
    in(LINE_STATUS); /* the guest looks by itself */
    expect_interrupt(SENT);
}

/* The divisor and loopback need no room. */
static void test_full_is_for_data(void **state)
{
    (void)state;
    for (unsigned int byte = 0; byte < SEND_HISTORY; byte++)
        out(DATA, byte);
    out(LINE_CONTROL, DLAB | 3);
    assert_int_equal(port_write(COM + DATA, 12), EXIT_NEXT);
    assert_int_equal(in(DATA), 12);
    out(LINE_CONTROL, 3);
    out(MODEM_CONTROL, LOOPBACK);
    assert_int_equal(port_write(COM + DATA, 'a'), EXIT_NEXT);
    assert_int_equal(in(DATA), 'a');
}

/* A model of the UART, from the data sheet, with flow control of the sender. */
static struct model {
    uint8_t bytes[UART_BUFFER_SIZE];
    size_t count;
    unsigned int enabled, fifo, modem, changes, sent_count;
    uint64_t lost;
    bool is_overrun, has_sent;
} model;

static bool is_loop(void)
{
    return (model.modem & LOOPBACK) != 0;
}

static unsigned int model_lines(unsigned int modem)
{
    if ((modem & LOOPBACK) == 0)
        return 0xB0;
    return (modem & 1) << 5 | (modem & 2) << 3 | (modem & 4) << 4 | (modem & 8) << 4;
}

static unsigned int model_interrupt(void)
{
    static const unsigned int levels[] = {1, 4, 8, 14};
    if ((model.enabled & 4) != 0 && model.is_overrun)
        return LINE;
    if ((model.enabled & 1) != 0 && model.count > 0)
        return (model.fifo & 1) != 0 && model.count < levels[model.fifo >> 6] ? TIME_OUT
                                                                              : RECEIVED;
    if ((model.enabled & 2) != 0 && model.has_sent)
        return SENT;
    return (model.enabled & 8) != 0 && model.changes != 0 ? MODEM : NOTHING;
}

static void model_receive(uint8_t byte)
{
    bool is_full = model.count == UART_BUFFER_SIZE;
    if (!is_loop() && !is_full)
        model.bytes[model.count++] = byte;
    model.is_overrun |= !is_loop() && is_full;
    model.lost += is_loop() || is_full;
    uart_receive(&uart, byte);
}

static void model_send(uint8_t byte)
{
    size_t size = (model.fifo & 1) != 0 ? FIFO_SIZE : 1;
    out(DATA, byte);
    model.has_sent = true;
    model.sent_count += !is_loop();
    if (!is_loop())
        assert_int_equal(sent[(count_sent() - 1) % SEND_HISTORY], byte);
    take_output(SEND_HISTORY);
    if (!is_loop())
        return;
    if (model.count < size)
        model.bytes[model.count++] = byte;
    else
        model.is_overrun = true;
    if ((model.fifo & 1) == 0)
        model.bytes[model.count - 1] = byte;
}

static void model_read(void)
{
    unsigned int status = EMPTY | (model.count > 0) | (model.is_overrun ? OVERRUN : 0);
    assert_int_equal(in(LINE_STATUS), status);
    model.is_overrun = false;
    if (model.count == 0)
        return;
    assert_int_equal(in(DATA), model.bytes[0]);
    memmove(model.bytes, model.bytes + 1, --model.count);
}

static void model_fifo(unsigned int value)
{
    size_t held    = (model.fifo & 1) != 0 ? FIFO_SIZE : 1;
    size_t dropped = model.count < held ? model.count : held;
    if (((value ^ model.fifo) & 1) != 0 || (value & 3) == 3) {
        model.count -= dropped;
        memmove(model.bytes, model.bytes + dropped, model.count);
        model.lost += is_loop() ? 0 : dropped;
    }
    model.fifo = value;
    out(FIFO_CONTROL, value);
}

/* Sets the modem control register; loopback keeps only what fits in a FIFO. */
static void model_modem(unsigned int value)
{
    while ((value & LOOPBACK) != 0 && !is_loop() && model.count > 0)
        model_read();
    unsigned int before = model_lines(model.modem), after = model_lines(value);
    model.changes |= ((before ^ after) & 0xB0) >> 4 | (before & ~after & 0x40) >> 4;
    model.modem = value;
    out(MODEM_CONTROL, value);
}

static void model_enable(unsigned int value)
{
    model.has_sent |= (value & ~model.enabled & 2) != 0;
    model.enabled = value;
    out(INTERRUPT_ENABLE, value);
}

static void model_status(void)
{
    assert_int_equal(in(MODEM_STATUS), model_lines(model.modem) | model.changes);
    model.changes = 0;
}

static void model_compare(void)
{
    unsigned int id = model_interrupt();
    bool is_out     = (model.modem & OUT2) != 0 && !is_loop();
    assert_int_equal(output_line.is_high, is_out && id != NOTHING);
    assert_int_equal(count_sent(), model.sent_count);
    assert_int_equal(uart.lost, model.lost);
    assert_int_equal(uart_room(&uart), is_loop() ? 0 : UART_BUFFER_SIZE - model.count);
}

static void model_id(void)
{
    unsigned int id = model_interrupt();
    assert_int_equal(in(INTERRUPT_ID), id | ((model.fifo & 1) != 0 ? WITH_FIFOS : 0));
    model.has_sent &= id != SENT;
}

/* Executes a random step; the receiver goes from empty to full and back. */
static void model_step(unsigned int i, unsigned int value)
{
    bool is_filling   = i / 20000 % 2 == 0;
    unsigned int what = (unsigned int)random_below(64);
    if (what < 20) {
        for (unsigned int count = is_filling ? 3 : 1; count > 0; count--)
            model_receive((uint8_t)random_number());
    } else if (what < 40) {
        for (unsigned int count = is_filling ? 1 : 3; count > 0; count--)
            model_read();
    } else if (what < 48) {
        model_send((uint8_t)value);
    } else if (what < 56) {
        model_id();
    } else if (what < 59) {
        model_enable(value & 0x0F);
    } else if (what < 61) {
        model_status();
    } else if (i % 32 == 0) { /* these empty it */
        model_modem(value & (value % 3 == 0 ? 0x1F : 0x0F));
    } else if (i % 32 == 1 && value % 8 == 0) {
        model_fifo(value >> 8 & 0xC7);
    }
}

static void test_against_model(void **state)
{
    size_t fullest = 0;
    (void)state;
    memset(&model, 0, sizeof(model));
    model.modem = OUT2;
    for (unsigned int i = 0; i < 1000000; i++) {
        model_step(i, (unsigned int)random_number() & 0xFFFF);
        model_compare();
        fullest = model.count > fullest ? model.count : fullest;
    }
    assert_int_equal(fullest, UART_BUFFER_SIZE);
}

/* Bytes are read in the order received, across the end of the buffer. */
static void test_order(void **state)
{
    uint32_t written = 0, taken = 0;
    (void)state;
    out(FIFO_CONTROL, 0x81);
    for (unsigned int i = 0; i < 200000; i++) {
        for (uint64_t count = random_below(60); count > 0 && uart_room(&uart) > 0;
             count--)
            uart_receive(&uart, (uint8_t)(written++ * 2654435761U >> 24));
        for (uint64_t count = random_below(60); count > 0 && taken < written; count--)
            assert_int_equal(in(DATA), (uint8_t)(taken++ * 2654435761U >> 24));
        assert_int_equal(uart_room(&uart), UART_BUFFER_SIZE - (written - taken));
    }
    assert_int_equal(uart.lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UART_TEST(test_loopback_data),
        UART_TEST(test_loopback_overrun),
        UART_TEST(test_loopback_disconnects),
        UART_TEST(test_loopback_modem),
        UART_TEST(test_modem_changes),
        UART_TEST(test_against_model),
        UART_TEST(test_order),
        UART_TEST(test_full),
        UART_TEST(test_full_is_for_data),
    };
    return cmocka_run_group_tests_name("uart model", tests, NULL, NULL);
}
