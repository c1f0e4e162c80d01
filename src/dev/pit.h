/*
 * The 8254 interval timer of a PC, as a guest sees it, and the port that goes with it.
 *
 * Intel 8254 data sheet; port 0x61: Intel 82371SB (PIIX3) data sheet, "NMI Status and
 * Control Register". Counter 0 is a timer whose output is interrupt 0, counter 2 has its
 * gate and output in port 0x61. The counters are dev/pit_counter.h's. Simplified: a
 * periodic output falls only just before it rises.
 */
#ifndef HYMIR_DEV_PIT_H
#define HYMIR_DEV_PIT_H

#include "dev/pit_counter.h"
#include "dev/port_device.h"
#include "dev/timer.h"
#include "x86/pit_8254.h"

#include <stdbool.h>
#include <stdint.h>

#define PIT_COUNTERS 3
#define PIT_DEVICES  3

/* The output of counter 0. */
typedef void pit_output(void *context, bool is_high);

struct pit {
    struct pit_counter counter[PIT_COUNTERS];
    uint8_t port_b; /* the low four bits of port 0x61 */
    struct device_timer timer;
    uint64_t factor; /* ticks_scale: from the clock's ticks to its own */
    pit_output *output;
    void *context;
};

/* Brings it to the state after reset: nothing counts, outputs are high. */
void pit_init(struct pit *pit, struct device_clock *clock, pit_output *output,
              void *context);

/* The devices at 0x40, 0x43 and 0x61. */
void pit_devices(struct pit *pit, struct port_device devices[PIT_DEVICES]);

#endif
