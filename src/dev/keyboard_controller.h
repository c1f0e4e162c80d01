/*
 * The 8042 keyboard controller of a PC without keyboard and mouse, as a guest sees it.
 *
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device
 * Controller". It answers the commands by which a kernel finds it and tests it, and
 * resets the machine. Nothing is plugged in: what is sent to a keyboard has no answer.
 */
#ifndef HYMIR_DEV_KEYBOARD_CONTROLLER_H
#define HYMIR_DEV_KEYBOARD_CONTROLLER_H

#include "dev/port_device.h"

#include <stdbool.h>
#include <stdint.h>

#define KEYBOARD_CONTROLLER_RAM     32 /* bytes */
#define KEYBOARD_CONTROLLER_DEVICES 2

/* The interrupt output. */
typedef void keyboard_controller_output(void *context, bool is_high);

struct keyboard_controller {
    uint8_t ram[KEYBOARD_CONTROLLER_RAM]; /* byte 0 is the command byte */
    uint8_t command;                      /* that waits for its byte at port 0x60, or 0 */
    uint8_t data;                         /* the output buffer */
    bool is_full;                         /* it holds a byte that nobody has read */
    bool wrote_command;                   /* the last write was to port 0x64 */
    keyboard_controller_output *output;
    void *context;
};

void keyboard_controller_init(struct keyboard_controller *controller,
                              keyboard_controller_output *output, void *context);

/* The devices at 0x60 and 0x64. */
void keyboard_controller_devices(struct keyboard_controller *controller,
                                 struct port_device devices[KEYBOARD_CONTROLLER_DEVICES]);

#endif
