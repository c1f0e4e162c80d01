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

/*
 * Discards pending bytes and enables the keyboard and its interrupt. False if there is no
 * controller or it does not accept a command within 100 ms.
 */
bool keyboard_start(void);

/* Reads the next byte from the keyboard; false if there is none. */
bool keyboard_receive(uint8_t *code);

#endif
