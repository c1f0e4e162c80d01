/* See pit.h. */
#include "dev/pit.h"

#include "lib/bits.h"

/* Control word. */
#define CONTROL_COUNTER(word) ((unsigned int)BITS_GET(word, 7, 6))
#define CONTROL_BYTES(word)   ((unsigned int)BITS_GET(word, 5, 4)) /* 0: latch */
#define CONTROL_AFTER_RESET   0x34U /* both bytes, mode 2 */
#define CONTROL_READ_BACK     3U    /* in place of a counter */
#define READ_BACK_NO_COUNT    0x20U
#define READ_BACK_NO_STATUS   0x10U

/* Port B. */
#define PORT_B_WRITABLE 0x0FU
#define REFRESH_TICKS   18U /* 15 us */

/* 128-bit arithmetic aligns the stack of its function, which costs 14 instructions. */
static __attribute__((noinline)) uint64_t scale(uint64_t ticks, uint64_t factor)
{
    return ticks_scale(ticks, factor);
}

static uint64_t now_of(const struct pit *pit)
{
    uint64_t now = device_clock_now(pit->timer.clock);

    return scale(now, pit->factor); /* no register is saved to keep it during the call */
}

/* Sets the timer to the first rise of counter 0's output after the last one shown. */
static void set_rise_timer(struct pit *pit)
{
    struct device_timer *timer = &pit->timer;

    pit->next_rise = pit_counter_next_rise(&pit->counter[0], pit->shown);
    device_timer_set(timer, ticks_until(pit->next_rise, PIT_HZ, timer->clock->hz));
}

/* Requests an interrupt; the timer is set again when it is acknowledged. */
static void timer_expired(void *device)
{
    struct pit *pit = device;

    pit->shown        = pit->next_rise;
    pit->next_rise    = TICKS_NEVER;
    pit->is_requested = true;
    interrupt_line_set(pit->output, false);
    interrupt_line_set(pit->output, true);
}

/* Drops the oldest of count rises of a periodic counter but the last most. */
static void drop_rises(struct pit *pit, uint64_t count, uint64_t most)
{
    if (count > most)
        pit->shown += (count - most) * pit_counter_period(&pit->counter[0]);
}

/* Sets the timer for the next rise; the output of a counter that counts once has none. */
static void request_taken(struct pit *pit)
{
    if (!pit->is_requested)
        return;
    pit->is_requested = false;
    uint64_t period   = pit_counter_period(&pit->counter[0]);
    if (period == 0)
        return;
    drop_rises(pit, (now_of(pit) - pit->shown) / period, PIT_BEHIND_MAX);
    set_rise_timer(pit);
}

/* Drops the rises while the input was masked, but for one, which the 8259A keeps. */
static void input_unmasked(struct pit *pit)
{
    uint64_t now    = now_of(pit);
    uint64_t period = pit_counter_period(&pit->counter[0]);
    uint64_t since  = pit->masked > pit->shown ? pit->masked : pit->shown;

    if (period != 0 && now > since)
        drop_rises(pit, (now - since) / period, pit->is_requested ? 0 : 1);
}

static __attribute__((noinline)) void mask_changed(struct pit *pit, bool is_masked)
{
    if (is_masked)
        pit->masked = now_of(pit);
    else
        input_unmasked(pit);
}

static void input_event(void *device, enum interrupt_event event)
{
    if (event == INTERRUPT_TAKEN)
        request_taken(device);
    else
        mask_changed(device, event == INTERRUPT_MASKED);
}

/* Ends the count of counter 0 in mode 0: its output is low until the next one ends. */
static void stop_counter_0(struct pit *pit)
{
    if (pit->next_rise != TICKS_NEVER && pit->next_rise <= now_of(pit))
        timer_expired(pit); /* its alarm is still pending */
    interrupt_line_set(pit->output, false);
    pit->is_requested = false;
    pit->next_rise    = TICKS_NEVER;
    device_timer_set(&pit->timer, TICKS_NEVER);
}

/* Updates interrupt and timer after a change of counter 0; the others have neither. */
static void update_counter_0(struct pit *pit, uint64_t now)
{
    if (pit->next_rise <= now)
        timer_expired(pit); /* its alarm is still pending */
    interrupt_line_set(pit->output, pit_counter_output(&pit->counter[0], now));
    pit->is_requested = false;
    pit->shown        = now;
    set_rise_timer(pit);
}

/* Data sheet, "Read-Back Command". */
static __attribute__((noinline)) void read_back(struct pit *pit, uint8_t word)
{
    uint64_t now = now_of(pit);

    for (unsigned int i = 0; i < PIT_COUNTERS; i++) {
        struct pit_counter *counter = &pit->counter[i];
        if ((word & (2U << i)) == 0)
            continue;
        if ((word & READ_BACK_NO_COUNT) == 0)
            pit_counter_latch(counter, now);
        if ((word & READ_BACK_NO_STATUS) == 0)
            pit_counter_latch_status(counter, now);
    }
}

static uint32_t read_port(void *device, uint16_t port)
{
    struct pit *pit = device;
    return pit_counter_read(&pit->counter[port & 3], now_of(pit));
}

static enum exit_outcome write_port(void *device, uint16_t port, uint32_t value)
{
    struct pit *pit             = device;
    struct pit_counter *counter = &pit->counter[port & 3];

    if (pit_counter_write_low(counter, (uint8_t)value)) {
        if (counter == &pit->counter[0] && pit_counter_is_stopped(counter))
            stop_counter_0(pit);
        return EXIT_NEXT;
    }
    uint64_t now = now_of(pit);
    pit_counter_write(counter, (uint8_t)value, now);
    if (counter == &pit->counter[0])
        update_counter_0(pit, now);
    return EXIT_NEXT;
}

/* Data sheet, "Control Word Format". */
static enum exit_outcome write_control(void *device, uint16_t port, uint32_t word)
{
    struct pit *pit             = device;
    unsigned int number         = CONTROL_COUNTER(word);
    struct pit_counter *counter = &pit->counter[number];

    (void)port;
    if (number == CONTROL_READ_BACK) {
        read_back(pit, (uint8_t)word);
    } else if (CONTROL_BYTES(word) == 0) {
        pit_counter_latch(counter, now_of(pit));
    } else {
        pit_counter_set_mode(counter, (uint8_t)word);
        if (counter == &pit->counter[0])
            update_counter_0(pit, now_of(pit));
    }
    return EXIT_NEXT;
}

static uint32_t read_port_b(void *device, uint16_t port)
{
    struct pit *pit = device;
    uint64_t now    = now_of(pit);

    (void)port;
    return pit->port_b | ((now / REFRESH_TICKS & 1) != 0 ? PORT_B_REFRESH : 0) |
           (pit_counter_output(&pit->counter[2], now) ? PORT_B_OUTPUT_2 : 0);
}

static enum exit_outcome write_port_b(void *device, uint16_t port, uint32_t value)
{
    struct pit *pit = device;

    (void)port;
    pit->port_b = value & PORT_B_WRITABLE;
    pit_counter_set_gate(&pit->counter[2], (value & PORT_B_GATE_2) != 0, now_of(pit));
    return EXIT_NEXT;
}

void pit_init(struct pit *pit, struct port_map *ports, struct device_clock *clock,
              struct interrupt_line *output)
{
    *pit = (struct pit){.next_rise = TICKS_NEVER,
                        .factor    = ticks_factor(clock->hz, PIT_HZ),
                        .output    = output};
    for (unsigned int i = 0; i < PIT_COUNTERS; i++) {
        pit_counter_set_mode(&pit->counter[i], CONTROL_AFTER_RESET);
        pit->counter[i].gate = i != 2;
    }
    interrupt_line_set(output, true);
    output->event  = input_event;
    output->device = pit;
    device_timer_init(&pit->timer, clock, timer_expired, pit);
    port_map_add(ports, (struct port_device){PIT_PORT_COUNTER_0, PIT_PORT_COUNTER_2, 1,
                                             pit, read_port, write_port});
    port_map_add(ports, (struct port_device){PIT_PORT_CONTROL, PIT_PORT_CONTROL, 1, pit,
                                             port_read_ones, write_control});
    port_map_add(ports,
                 (struct port_device){PORT_B, PORT_B, 1, pit, read_port_b, write_port_b});
}
