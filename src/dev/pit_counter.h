/*
 * A counter of the 8254 interval timer: all six modes, binary and BCD, latch and status.
 *
 * Intel 8254 data sheet. Pure and without a tick: the count is computed from the time of
 * each access. Times are in ticks of its clock and never decrease.
 */
#ifndef HYMIR_DEV_PIT_COUNTER_H
#define HYMIR_DEV_PIT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/* The bytes of a count that are read and written: bits 5 and 4 of the control word. */
enum pit_bytes {
    PIT_LOW_BYTE = 1,
    PIT_HIGH_BYTE,
    PIT_BOTH_BYTES,
};

/* Counts are binary, 1 to 65536. */
struct pit_counter {
    uint8_t mode;    /* 0 to 5 */
    uint8_t control; /* the control word without the counter's number */
    enum pit_bytes bytes;
    bool is_bcd, gate;
    bool is_counting;    /* a count is loaded and, if the mode needs it, triggered */
    bool is_null;        /* the count written is not loaded yet */
    bool was_high;       /* the output before start */
    uint32_t count;      /* the initial count */
    uint32_t ahead;      /* ticks of it that had passed at start: a high half, or 0 */
    uint64_t start;      /* the time when counting started */
    uint64_t paused;     /* modes 0 and 4 with the gate low: ticks counted so far */
    uint32_t next_count; /* the next initial count, or 0 */
    bool next_is_low;    /* it starts with a square wave's low half */
    uint64_t next_start; /* in modes 2 and 3 */
    uint8_t written_low; /* the first of two bytes, or 0 */
    bool writes_high;    /* the next write is the high byte */
    uint8_t shift;       /* of the next byte to read: 0, or 8 for the high one */
    uint8_t toggle;      /* 8 if low and high byte are read alternately */
    uint16_t latch;
    uint8_t latched_bytes; /* still to be read */
    bool has_status;
    uint8_t status; /* latched */
};

/* Writes a control word; the counter then waits for a count. */
void pit_counter_set_mode(struct pit_counter *counter, uint8_t word);

/*
 * Writes the counter's port if the byte is the low one of two, which waits for the high
 * one; it stops a counter in mode 0. Otherwise does nothing and returns false.
 */
bool pit_counter_write_low(struct pit_counter *counter, uint8_t byte);

/* Write a byte to the counter's port that completes a count, and read the port. */
void pit_counter_write(struct pit_counter *counter, uint8_t byte, uint64_t now);
uint8_t pit_counter_read(struct pit_counter *counter, uint64_t now);

/* Returns whether a counter in mode 0 waits for a count, with its output low. */
static inline bool pit_counter_is_stopped(const struct pit_counter *counter)
{
    return counter->mode == 0 && !counter->is_counting;
}

/* Latch the count or the status for the next read, unless one is latched already. */
void pit_counter_latch(struct pit_counter *counter, uint64_t now);
void pit_counter_latch_status(struct pit_counter *counter, uint64_t now);

/* Returns the ticks between two rises of a periodic counter's output, otherwise 0. */
uint32_t pit_counter_period(const struct pit_counter *counter);

/* Sets the gate input: starts, pauses or restarts counting, depending on the mode. */
void pit_counter_set_gate(struct pit_counter *counter, bool gate, uint64_t now);

/*
 * Return the output, and the time of its first rise after now, or TICKS_NEVER. For the
 * rise, now may be earlier than the last access, but not than the last write.
 */
bool pit_counter_output(struct pit_counter *counter, uint64_t now);
uint64_t pit_counter_next_rise(struct pit_counter *counter, uint64_t now);

#endif
