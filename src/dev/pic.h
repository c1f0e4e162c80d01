/*
 * The two 8259A interrupt controllers of a PC, as a guest sees them.
 *
 * Intel 8259A data sheet; edge/level control registers at 0x4D0 and 0x4D1: Intel 82371SB
 * (PIIX3) data sheet, "Interrupt Controller Registers". The second controller's output is
 * input 2 of the first. Modelled: fully nested and special fully nested mode, rotation,
 * special mask mode, automatic end of interrupt, poll, edge and level triggering, and the
 * spurious interrupt 7 or 15 if the request is gone when it is acknowledged. Not
 * modelled: CALL instructions for the 8080, buffered mode, a single controller without a
 * cascade.
 */
#ifndef HYMIR_DEV_PIC_H
#define HYMIR_DEV_PIC_H

#include "dev/interrupt_line.h"
#include "dev/port_map.h"

#include <stdbool.h>
#include <stdint.h>

/* One controller. Where a comment says "inputs", bit n is input n. */
struct pic_chip {
    struct interrupt_line *input;  /* its 8 */
    struct interrupt_line *output; /* high while there is an interrupt to acknowledge */
    bool has_cascade;              /* at its input 2 */
    uint8_t line;                  /* inputs that are high */
    uint8_t latch;                 /* inputs with an edge since the last acknowledge */
    uint8_t level;                 /* inputs that are level-triggered */
    uint8_t in_service;            /* ISR */
    uint8_t mask;                  /* IMR */
    uint8_t base;                  /* the vector of input 0 */
    uint8_t first;                 /* the input with the highest priority */
    uint8_t expected;              /* bit n: ICWn, not yet written; 0: initialized */
    uint8_t pending;               /* the input to acknowledge next, or 8 */
    bool automatic_end, rotates_at_end; /* AEOI, and rotation in AEOI mode */
    bool special_mask, special_nested;
    bool reads_in_service, is_polled;
};

#define PIC_INPUTS 16

struct pic {
    struct interrupt_line input[PIC_INPUTS]; /* 0 to 7: the first chip's */
    struct interrupt_line output;            /* to the CPU; the owner connects it */
    struct pic_chip chip[2];
};

/* Resets both controllers, with all inputs low and masked, and adds their ports. */
void pic_init(struct pic *pic, struct port_map *ports);

/* Performs the acknowledge cycle; returns the vector of the interrupt to deliver. */
uint8_t pic_acknowledge(struct pic *pic);

/* Returns false if all inputs are masked: no interrupt until the guest changes that. */
bool pic_can_interrupt(const struct pic *pic);

#endif
