/*
 * The PS/2 keyboard, or firmware's emulation of one: its unprocessed bytes.
 *
 * Owns the 8042 at 0x60 and 0x64. IBM PS/2 Hardware Interface Technical Reference,
 * "Keyboard and Auxiliary Device Controller".
 */
#ifndef HYMIR_PLATFORM_KEYBOARD_H
#define HYMIR_PLATFORM_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

#define KEYBOARD_INTERRUPT 1

/* More bytes at once than a controller can hold: one that has them is broken. */
#define KEYBOARD_BYTES_MAX 64

enum keyboard_state {
    KEYBOARD_NO_CONTROLLER, /* or one that accepts no command, or always has a byte */
    KEYBOARD_SILENT,        /* no keyboard answers, but firmware may emulate one */
    KEYBOARD_ANSWERS,
};

/*
 * Enables the keyboard and its interrupt, disables the mouse's port, and asks the
 * keyboard whether it is there, which takes up to 600 ms if none is. Pending bytes are
 * discarded.
 */
enum keyboard_state keyboard_start(void);

/* Reads the next byte from the keyboard; false if there is none. */
bool keyboard_receive(uint8_t *code);

#endif
