/*
 * An interrupt line: the wire from a device's interrupt output to an interrupt
 * controller.
 *
 * The device drives the level; the controller is called at each change and decides
 * whether an edge or the level counts. Used on the vCPU's CPU only.
 */
#ifndef HYMIR_DEV_INTERRUPT_LINE_H
#define HYMIR_DEV_INTERRUPT_LINE_H

#include <stdbool.h>
#include <stdint.h>

struct interrupt_line {
    bool is_high;
    uint8_t number; /* the listener's input */
    void (*changed)(void *listener, const struct interrupt_line *line);
    void *listener;
};

/* Drives the line high or low. */
static inline void interrupt_line_set(struct interrupt_line *line, bool is_high)
{
    if (line->is_high == is_high)
        return;
    line->is_high = is_high;
    line->changed(line->listener, line);
}

#endif
