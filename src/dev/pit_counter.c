/* See pit_counter.h. */
#include "dev/pit_counter.h"

#include "lib/bits.h"
#include "lib/ticks.h"

#define COUNTS     0x10000U /* of binary counting */
#define COUNTS_BCD 10000U

/* Control word. */
#define CONTROL_BYTES(word) ((unsigned int)BITS_GET(word, 5, 4))
#define CONTROL_MODE(word)  ((uint8_t)BITS_GET(word, 3, 1))
#define CONTROL_BCD         0x01U
#define CONTROL_KEPT        0x3FU

#define STATUS_OUTPUT 0x80U
#define STATUS_NULL   0x40U

enum mode {
    MODE_TERMINAL_COUNT,
    MODE_ONE_SHOT,
    MODE_RATE,
    MODE_SQUARE_WAVE,
    MODE_SOFTWARE_STROBE,
    MODE_HARDWARE_STROBE,
};

static bool is_periodic(const struct pit_counter *counter)
{
    return counter->mode == MODE_RATE || counter->mode == MODE_SQUARE_WAVE;
}

/* Returns whether only the gate starts counting. */
static bool is_triggered(const struct pit_counter *counter)
{
    return counter->mode == MODE_ONE_SHOT || counter->mode == MODE_HARDWARE_STROBE;
}

uint32_t pit_counter_period(const struct pit_counter *counter)
{
    return is_periodic(counter) && counter->is_counting ? counter->count : 0;
}

static bool is_paused(const struct pit_counter *counter)
{
    return !counter->gate && !is_triggered(counter);
}

static uint64_t elapsed(const struct pit_counter *counter, uint64_t now)
{
    if (is_paused(counter))
        return counter->paused;
    return now < counter->start ? 0 : now - counter->start + counter->ahead;
}

/* Returns the length of a square wave's high half. */
static uint32_t high_half(const struct pit_counter *counter)
{
    return (counter->count + 1) / 2;
}

static __attribute__((noinline)) void load_next_count(struct pit_counter *counter,
                                                      uint64_t now)
{
    if (!is_periodic(counter) || !counter->is_counting || now < counter->next_start)
        return;
    counter->start      = counter->next_start;
    counter->count      = counter->next_count;
    counter->ahead      = counter->next_is_low ? high_half(counter) : 0;
    counter->next_count = 0;
    counter->is_null    = false;
}

/* Loads the next count of a periodic counter if its period, or half of it, is over. */
static inline void load_if_due(struct pit_counter *counter, uint64_t now)
{
    if (counter->next_count != 0)
        load_next_count(counter, now);
}

/* Data sheet, "Mode Definitions". */
bool pit_counter_output(struct pit_counter *counter, uint64_t now)
{
    load_if_due(counter, now);
    if (!counter->is_counting)
        return counter->mode != MODE_TERMINAL_COUNT;
    if (now < counter->start)
        return counter->was_high;
    uint64_t passed = elapsed(counter, now);
    switch ((enum mode)counter->mode) {
    case MODE_TERMINAL_COUNT:
    case MODE_ONE_SHOT:
        return passed >= counter->count;
    case MODE_RATE:
        return !counter->gate || passed % counter->count != counter->count - 1;
    case MODE_SQUARE_WAVE:
        return !counter->gate || passed % counter->count < high_half(counter);
    case MODE_SOFTWARE_STROBE:
    case MODE_HARDWARE_STROBE:
        return passed != counter->count;
    }
    return true;
}

/* Returns the count; its low 16 bits are valid or, in BCD, its low four digits. */
static uint32_t value_of(const struct pit_counter *counter, uint64_t now)
{
    if (!counter->is_counting)
        return 0;
    uint64_t passed = elapsed(counter, now);
    if (!is_periodic(counter)) { /* counts on below zero */
        uint32_t counts = counter->is_bcd ? COUNTS_BCD : COUNTS;
        return (uint32_t)(counter->count + counts - passed % counts);
    }
    uint32_t phase = (uint32_t)(passed % counter->count);
    if (counter->mode == MODE_RATE)
        return counter->count - phase;
    if (phase >= high_half(counter))
        phase -= high_half(counter);
    return (counter->count & ~1U) - 2 * phase;
}

static uint16_t to_bcd(uint32_t value)
{
    return (uint16_t)(value / 1000 % 10 << 12 | value / 100 % 10 << 8 |
                      value / 10 % 10 << 4 | value % 10);
}

static uint32_t from_bcd(uint16_t value)
{
    return (uint32_t)(BITS_GET(value, 15, 12) * 1000 + BITS_GET(value, 11, 8) * 100 +
                      BITS_GET(value, 7, 4) * 10 + BITS_GET(value, 3, 0));
}

static uint16_t shown_value(const struct pit_counter *counter, uint64_t now)
{
    uint32_t value = value_of(counter, now);
    return counter->is_bcd ? to_bcd(value) : (uint16_t)value;
}

/* Returns the first rise after now of a periodic counter whose first period ends then. */
static __attribute__((noinline)) uint64_t
next_periodic_rise(const struct pit_counter *counter, uint64_t now, uint64_t end)
{
    if (counter->next_count != 0 && counter->next_is_low)
        return counter->next_start + counter->next_count / 2;
    return now < end ? end
                     : now + counter->count - elapsed(counter, now) % counter->count;
}

uint64_t pit_counter_next_rise(struct pit_counter *counter, uint64_t now)
{
    load_if_due(counter, now);
    if (!counter->is_counting || is_paused(counter))
        return TICKS_NEVER;
    uint64_t end = counter->start + counter->count - counter->ahead;
    if (is_periodic(counter))
        return next_periodic_rise(counter, now, end);
    if (counter->mode == MODE_SOFTWARE_STROBE)
        end++;
    return now < end ? end : TICKS_NEVER;
}

/* Starts counting: the count is loaded one tick after it is written or triggered. */
static void start_counting(struct pit_counter *counter, uint32_t count, uint64_t now,
                           bool was_high)
{
    counter->was_high    = was_high;
    counter->ahead       = 0;
    counter->count       = count;
    counter->start       = now + 1;
    counter->paused      = 0;
    counter->next_count  = 0;
    counter->is_counting = true;
    counter->is_null     = false;
}

static void load_count(struct pit_counter *counter, uint16_t written, uint64_t now)
{
    uint32_t count = counter->is_bcd ? from_bcd(written) : written;

    if (count == 0)
        count = counter->is_bcd ? COUNTS_BCD : COUNTS;
    counter->is_null = true;
    if (is_triggered(counter)) {
        counter->next_count = count;
    } else if (is_periodic(counter) && counter->is_counting) {
        counter->next_count  = 0;
        counter->next_start  = pit_counter_next_rise(counter, now);
        counter->next_is_low = counter->mode == MODE_SQUARE_WAVE && counter->gate &&
                               pit_counter_output(counter, now);
        if (counter->next_is_low)
            counter->next_start -= counter->count / 2;
        counter->next_count = count;
    } else {
        start_counting(counter, count, now, counter->mode != MODE_TERMINAL_COUNT);
    }
}

bool pit_counter_write_low(struct pit_counter *counter, uint8_t byte)
{
    if (counter->bytes != PIT_BOTH_BYTES || counter->writes_high)
        return false;
    counter->written_low = byte;
    counter->writes_high = true;
    counter->is_counting &= counter->mode != MODE_TERMINAL_COUNT;
    return true;
}

void pit_counter_write(struct pit_counter *counter, uint8_t byte, uint64_t now)
{
    load_if_due(counter, now);
    counter->writes_high = false;
    uint16_t both        = (uint16_t)(byte << 8 | counter->written_low);
    load_count(counter, counter->bytes == PIT_LOW_BYTE ? (uint16_t)byte : both, now);
}

void pit_counter_latch(struct pit_counter *counter, uint64_t now)
{
    if (counter->latched_bytes > 0)
        return;
    load_if_due(counter, now);
    counter->latch         = shown_value(counter, now);
    counter->latched_bytes = counter->bytes == PIT_BOTH_BYTES ? 2 : 1;
}

void pit_counter_latch_status(struct pit_counter *counter, uint64_t now)
{
    if (counter->has_status)
        return;
    load_if_due(counter, now);
    counter->has_status = true;
    counter->status =
        (uint8_t)((pit_counter_output(counter, now) ? STATUS_OUTPUT : 0) |
                  (counter->is_null || (counter->is_counting && now < counter->start)
                       ? STATUS_NULL
                       : 0) |
                  counter->control);
}

void pit_counter_set_mode(struct pit_counter *counter, uint8_t word)
{
    uint8_t mode         = CONTROL_MODE(word);
    enum pit_bytes bytes = (enum pit_bytes)CONTROL_BYTES(word);
    bool gate            = counter->gate;

    *counter = (struct pit_counter){
        .mode    = mode > MODE_HARDWARE_STROBE ? mode & 3 : mode, /* 6 is 2, 7 is 3 */
        .bytes   = bytes,
        .shift   = bytes == PIT_HIGH_BYTE ? 8 : 0,
        .toggle  = bytes == PIT_BOTH_BYTES ? 8 : 0,
        .is_bcd  = (word & CONTROL_BCD) != 0,
        .gate    = gate,
        .is_null = true,
        .control = word & CONTROL_KEPT,
    };
}

/* Returns the next byte of a value that is read low byte first. */
static uint8_t next_byte(struct pit_counter *counter, uint16_t value)
{
    uint8_t byte = (uint8_t)(value >> counter->shift);

    counter->shift ^= counter->toggle;
    return byte;
}

static __attribute__((noinline)) uint8_t read_latched(struct pit_counter *counter)
{
    if (counter->has_status) {
        counter->has_status = false;
        return counter->status;
    }
    counter->latched_bytes--;
    return next_byte(counter, counter->latch);
}

uint8_t pit_counter_read(struct pit_counter *counter, uint64_t now)
{
    if ((counter->has_status | counter->latched_bytes) != 0)
        return read_latched(counter);
    load_if_due(counter, now);
    return next_byte(counter, shown_value(counter, now));
}

/* Data sheet, "Gate". */
void pit_counter_set_gate(struct pit_counter *counter, bool gate, uint64_t now)
{
    if (gate == counter->gate)
        return;
    load_if_due(counter, now);
    uint64_t passed = elapsed(counter, now);
    bool was_high   = pit_counter_output(counter, now);
    uint32_t count  = counter->next_count != 0 ? counter->next_count : counter->count;
    bool starts =
        is_triggered(counter) ? count != 0 : is_periodic(counter) && counter->is_counting;
    counter->gate = gate;
    if (!gate) {
        counter->paused      = passed;
        counter->next_start  = TICKS_NEVER;
        counter->next_is_low = false;
    } else if (starts) {
        start_counting(counter, count, now, was_high);
    } else {
        counter->start = now - counter->paused;
    }
}
