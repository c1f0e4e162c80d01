/*
 * The 8042 keyboard controller of a PC without keyboard and mouse, as a guest sees it.
 *
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device
 * Controller". It has a port for a keyboard and an auxiliary one for a mouse. It answers
 * the commands by which a kernel detects and tests it, and resets the machine. Nothing is
 * plugged in: a byte for keyboard or mouse is answered by the controller's time-out,
 * which comes without delay.
 */
#ifndef HYMIR_DEV_KEYBOARD_CONTROLLER_H
#define HYMIR_DEV_KEYBOARD_CONTROLLER_H

#include "dev/interrupt_line.h"
#include "dev/port_map.h"

#include <stdbool.h>
#include <stdint.h>

#define KEYBOARD_CONTROLLER_RAM 32 /* bytes */

struct keyboard_controller {
    uint8_t ram[KEYBOARD_CONTROLLER_RAM]; /* byte 0 is the command byte */
    uint8_t command;                      /* waiting for its byte at port 0x60, or 0 */
    uint8_t data;                         /* the output buffer */
    uint8_t output; /* of the status: the output buffer is full, its byte's kind; or 0 */
    bool wrote_command; /* the last write was to port 0x64 */
    struct interrupt_line *interrupt, *mouse_interrupt;
    struct vcpu *const *accessor; /* the vCPU to reset */
};

/* Resets it and adds its ports, 0x60 and 0x64. */
void keyboard_controller_init(struct keyboard_controller *controller,
                              struct port_map *ports, struct interrupt_line *interrupt,
                              struct interrupt_line *mouse_interrupt);

#endif
