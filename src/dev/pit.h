/*
 * The 8254 interval timer of a PC and port 0x61, as a guest sees them.
 *
 * Intel 8254 data sheet; port 0x61: Intel 82371SB (PIIX3) data sheet, "NMI Status and
 * Control Register". Counter 0's output is interrupt 0; port 0x61 has the gate and output
 * of counter 2. dev/pit_counter.h models the counters. Simplified: a periodic output
 * falls only just before it rises.
 *
 * No periodic interrupt is lost because it comes late or while interrupts are off: the
 * next rise is shown when the previous one is acknowledged, whatever time has passed. So
 * the guest decides how many interrupts it takes in a time. A guest that is behind by
 * more than PIT_BEHIND_MAX rises loses the oldest; rises while the input is masked leave
 * one request, as on a PC.
 */
#ifndef HYMIR_DEV_PIT_H
#define HYMIR_DEV_PIT_H

#include "dev/interrupt_line.h"
#include "dev/pit_counter.h"
#include "dev/port_map.h"
#include "dev/timer.h"
#include "x86/pit_8254.h"

#include <stdint.h>

#define PIT_COUNTERS   3
#define PIT_BEHIND_MAX 100

struct pit {
    struct pit_counter counter[PIT_COUNTERS];
    uint8_t port_b;            /* the low four bits of port 0x61 */
    struct device_timer timer; /* for the next rise, unless a request waits */
    uint64_t shown;            /* the time of the last rise that was requested */
    uint64_t next_rise;        /* the timer's, or TICKS_NEVER */
    uint64_t masked;           /* the time when the input was masked last */
    bool is_requested;         /* and not acknowledged yet */
    uint64_t factor;           /* for ticks_scale: from the clock's ticks to PIT_HZ */
    struct interrupt_line *output;
};

/* Resets it, with no counter counting and all outputs high, and adds its ports. */
void pit_init(struct pit *pit, struct port_map *ports, struct device_clock *clock,
              struct interrupt_line *output);

#endif
