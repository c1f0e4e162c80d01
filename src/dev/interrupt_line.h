/*
 * An interrupt line: the wire from a device's interrupt output to an interrupt
 * controller.
 *
 * The device drives the level; the controller is called at each change and decides
 * whether an edge or the level counts. A device that counts its interrupts is told what
 * becomes of them. Used on one CPU at a time.
 */
#ifndef HYMIR_DEV_INTERRUPT_LINE_H
#define HYMIR_DEV_INTERRUPT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the controller does with the requests of a line. */
enum interrupt_event {
    INTERRUPT_TAKEN, /* the last request is acknowledged, or dropped by a reset */
    INTERRUPT_MASKED,
    INTERRUPT_UNMASKED,
};

struct interrupt_line {
    bool is_high;
    uint8_t number; /* the listener's input */
    void (*changed)(void *listener, const struct interrupt_line *line);
    void *listener;
    void (*event)(void *device, enum interrupt_event event); /* NULL: not needed */
    void *device;
};

/* Drives the line high or low. */
static inline void interrupt_line_set(struct interrupt_line *line, bool is_high)
{
    if (line->is_high == is_high)
        return;
    line->is_high = is_high;
    line->changed(line->listener, line);
}

/* Reports an event to the device, if it needs that. */
static inline void interrupt_line_report(const struct interrupt_line *line,
                                         enum interrupt_event event)
{
    if (line->event != NULL)
        line->event(line->device, event);
}

#endif
