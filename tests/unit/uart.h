/*
 * An emulated UART of src/dev/uart.h, whose output is kept.
 */
#ifndef HYMIR_TESTS_UART_H
#define HYMIR_TESTS_UART_H

#include "ports.h"

#include "dev/uart.h"

/* Register offsets. */
enum {
    DATA,
    INTERRUPT_ENABLE,
    INTERRUPT_ID,
    FIFO_CONTROL = INTERRUPT_ID,
    LINE_CONTROL,
    MODEM_CONTROL,
    LINE_STATUS,
    MODEM_STATUS,
    SCRATCH,
};

/* Values of the interrupt identification register, bits 3:0. */
#define NOTHING      0x1U
#define MODEM        0x0U
#define SENT         0x2U
#define RECEIVED     0x4U
#define LINE         0x6U
#define TIME_OUT     0xCU
#define WITH_FIFOS   0xC0U
#define DLAB         0x80U
#define LOOPBACK     0x10U
#define OUT2         0x08U
#define READY        0x01U /* bits of the line status */
#define OVERRUN      0x02U
#define EMPTY        0x60U
#define FIFO_SIZE    16U
#define COM          0x3F8
#define SEND_HISTORY 64

static struct uart uart;
static uint8_t sent[SEND_HISTORY];
static struct byte_queue output = {.bytes = sent, .size = SEND_HISTORY};
static unsigned int starts;

/* Returns how many bytes the guest has sent. */
static inline unsigned int count_sent(void)
{
    return atomic_load(&output.written);
}

static void note_start(void *context)
{
    assert_ptr_equal(context, &uart);
    starts++;
}

/* Takes up to count sent bytes; returns how many there were. */
static inline unsigned int take_output(unsigned int count)
{
    uint8_t byte;
    unsigned int taken = 0;
    while (taken < count && byte_queue_take(&output, &byte))
        taken++;
    return taken;
}

static inline void init_uart(void)
{
    atomic_store(&output.written, 0);
    atomic_store(&output.taken, 0);
    starts = 0;
    uart_init(&uart, &test_ports, &output_line,
              &(struct uart_line){&output, note_start, &uart});
}

static inline void out(unsigned int offset, unsigned int value)
{
    port_out(COM + offset, value);
}

static inline unsigned int in(unsigned int offset)
{
    return port_read(COM + offset);
}

/* Resets the UART and sets 8 bits, no FIFOs, interrupt output enabled. */
static inline int start_uart(void **state)
{
    (void)state;
    start_ports(false);
    init_uart();
    out(LINE_CONTROL, 3);
    out(MODEM_CONTROL, OUT2);
    return 0;
}

static inline void receive_text(const char *text)
{
    for (; *text != '\0'; text++)
        uart_receive(&uart, (uint8_t)*text);
}

/* Reads received bytes until there are no more, and asserts that they are text. */
static inline void expect_text(const char *text)
{
    for (; *text != '\0'; text++) {
        assert_int_equal(in(LINE_STATUS), EMPTY | READY);
        assert_int_equal(in(DATA), *text);
    }
    assert_int_equal(in(LINE_STATUS), EMPTY);
}

/*
 * Asserts the pending interrupt, and the level of the output; ignores whether FIFOs are
 * on.
 */
static inline void expect_interrupt(unsigned int id)
{
    assert_int_equal(output_line.is_high, id != NOTHING);
    assert_int_equal(in(INTERRUPT_ID) & ~WITH_FIFOS, id);
}

#define UART_TEST(name) cmocka_unit_test_setup(name, start_uart)

#endif
