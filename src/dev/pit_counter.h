/*
 * A counter of the 8254 interval timer: all six modes, binary and BCD, latch and status.
 *
 * Intel 8254 data sheet. Pure: nothing is counted, what the counter has reached at a time
 * is computed when somebody asks. Times are in ticks of its clock and never go back.
 */
#ifndef HYMIR_DEV_PIT_COUNTER_H
#define HYMIR_DEV_PIT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/* How a counter's bytes are read and written: bits 5 and 4 of its control word. */
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
    bool is_counting;    /* a count has been loaded, and what the mode waits for came */
    bool is_null;        /* the count that was written is not loaded yet */
    bool was_high;       /* the output before start */
    uint32_t count;      /* that it started from */
    uint32_t ahead;      /* how much of it had passed then: a square wave's high half */
    uint64_t start;      /* when it did */
    uint64_t paused;     /* modes 0 and 4 with the gate low: what it had counted */
    uint32_t next_count; /* 0, or what it starts from next */
    bool next_is_low;    /* with a square wave's low half */
    uint64_t next_start; /* in modes 2 and 3 */
    uint8_t written_low; /* the first of two bytes */
    bool writes_high;
    uint8_t shift;  /* of the byte that is read next: 0, or 8 for the high one */
    uint8_t toggle; /* 8 if both are read in turn */
    uint16_t latch;
    uint8_t latched_bytes; /* that are still to be read */
    bool has_status;
    uint8_t status; /* latched */
};

/* A control word: the counter waits for a count. */
void pit_counter_set_mode(struct pit_counter *counter, uint8_t word);

/* Write or read the counter's port. */
void pit_counter_write(struct pit_counter *counter, uint8_t byte, uint64_t now);
uint8_t pit_counter_read(struct pit_counter *counter, uint64_t now);

/*
 * Writes the port where that needs no time: the low byte of two, which only waits for the
 * high one. False, and nothing is written, if it is another.
 */
bool pit_counter_keep_low(struct pit_counter *counter, uint8_t byte);

/* Keep the count, or the status, for the next read; one that is still kept stays. */
void pit_counter_latch(struct pit_counter *counter, uint64_t now);
void pit_counter_latch_status(struct pit_counter *counter, uint64_t now);

/* The gate input: starts, pauses or restarts it, as the mode says. */
void pit_counter_set_gate(struct pit_counter *counter, bool gate, uint64_t now);

/* The output, and the first time after now at which it rises by itself: TICKS_NEVER. */
bool pit_counter_output(struct pit_counter *counter, uint64_t now);
uint64_t pit_counter_next_rise(struct pit_counter *counter, uint64_t now);

#endif
