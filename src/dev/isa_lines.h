/*
 * The interrupt lines of a PC's ISA devices, each wired to both interrupt controllers.
 *
 * Line n is wired to input n of the 8259As and of the I/O APIC, except line 0, the
 * timer's, at input 2 of the I/O APIC. Line 2 is not connected: the first 8259A has the
 * second one there. Only the timer counts its interrupts: it is told that its line is
 * masked while both controllers mask it, and that an interrupt is taken by either.
 */
#ifndef HYMIR_DEV_ISA_LINES_H
#define HYMIR_DEV_ISA_LINES_H

#include "dev/io_apic.h"
#include "dev/pic.h"

#include <stdbool.h>

#define ISA_LINES               16U
#define ISA_TIMER_LINE          0U
#define ISA_TIMER_IO_APIC_INPUT 2U

struct isa_lines {
    struct interrupt_line line[ISA_LINES]; /* the devices drive these */
    struct pic *pic;
    struct io_apic *io_apic;
    bool is_timer_masked_by_pic, is_timer_masked_by_io_apic;
};

/* Connects all lines, low, to controllers that have just been reset. */
void isa_lines_init(struct isa_lines *lines, struct pic *pic, struct io_apic *io_apic);

#endif
