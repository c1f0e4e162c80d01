/*
 * The two 8259A interrupt controllers of a PC, as a guest sees them.
 *
 * Intel 8259A data sheet; for the edge/level control registers at 0x4D0 and 0x4D1: Intel
 * 82371SB (PIIX3) data sheet, "Interrupt Controller Registers". The second one's output
 * is input 2 of the first. Modelled: fully nested and special fully nested mode,
 * rotation, special mask mode, automatic end of interrupt, poll, edge and level
 * triggering, and the interrupt 7 or 15 that comes of a request that is gone when it is
 * acknowledged. Not modelled: the 8080's CALL, buffered mode, a single controller without
 * its cascade.
 */
#ifndef HYMIR_DEV_PIC_H
#define HYMIR_DEV_PIC_H

#include "dev/port_device.h"

#include <stdbool.h>
#include <stdint.h>

/* The interrupt output: high while there is something to acknowledge. */
typedef void pic_output(void *context, bool is_high);

/* The word that a write to the second port is, while initialization goes on. */
enum pic_expects {
    PIC_EXPECTS_MASK, /* OCW1: initialized */
    PIC_EXPECTS_ICW2,
    PIC_EXPECTS_ICW3,
    PIC_EXPECTS_ICW4,
};

/* One controller. A bit for each of its eight inputs where it says "inputs". */
struct pic_chip {
    uint8_t line;       /* inputs that are high */
    uint8_t latch;      /* inputs with an edge since the last acknowledge */
    uint8_t level;      /* inputs that are level-triggered */
    uint8_t in_service; /* ISR */
    uint8_t mask;       /* IMR */
    uint8_t base;       /* the vector of input 0 */
    uint8_t first;      /* the input that has the highest priority */
    enum pic_expects expects;
    bool has_icw3, has_icw4;
    bool automatic_end, rotates_at_end; /* AEOI, and rotation in it */
    bool special_mask, special_nested;
    bool has_cascade; /* at its input 2 */
    bool reads_in_service, is_polled;
};

struct pic {
    struct pic_chip chip[2];
    bool is_high; /* the output */
    pic_output *output;
    void *context;
};

#define PIC_INPUTS  16
#define PIC_DEVICES 3

/* Brings both to the state after reset: all inputs low, none let through. */
void pic_init(struct pic *pic, pic_output *output, void *context);

/* Sets an input, 0 to 15. */
void pic_set_input(struct pic *pic, unsigned int input, bool is_high);

/* The acknowledge cycle: the vector of the interrupt that the CPU takes. */
uint8_t pic_acknowledge(struct pic *pic);

/* False if all inputs are masked: no interrupt comes until the guest changes that. */
bool pic_can_interrupt(const struct pic *pic);

/* The devices at 0x20, 0xA0 and 0x4D0. */
void pic_devices(struct pic *pic, struct port_device devices[PIC_DEVICES]);

#endif
