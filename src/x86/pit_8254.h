/*
 * The 8254 interval timer of a PC, and port B, which gates its counter 2.
 *
 * Intel 8254 data sheet; port B: Intel 82371SB (PIIX3) data sheet, "NMI Status and
 * Control Register".
 */
#ifndef HYMIR_X86_PIT_8254_H
#define HYMIR_X86_PIT_8254_H

#include <stdint.h>

#define PIT_HZ UINT64_C(1193182)

#define PIT_PORT_COUNTER_0 0x40
#define PIT_PORT_COUNTER_2 0x42
#define PIT_PORT_CONTROL   0x43

/* Commands for counter 2. */
#define PIT_COUNTER_2_LATCH  0x80 /* the count, for the next two reads */
#define PIT_COUNTER_2_MODE_2 0xB4 /* rate generator; low byte, then high byte */

#define PORT_B          0x61
#define PORT_B_GATE_2   0x01U
#define PORT_B_SPEAKER  0x02U
#define PORT_B_REFRESH  0x10U
#define PORT_B_OUTPUT_2 0x20U

#endif
