/*
 * The PS/2 keyboard, or what firmware gives out as one: its bytes, as they come.
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
 * Empties the controller and has it interrupt when a key is pressed. False if there is no
 * controller, or it does not take its command byte within 100 ms.
 */
bool keyboard_start(void);

/* Takes a byte of the keyboard's that has arrived; false if there is none. */
bool keyboard_receive(uint8_t *code);

#endif
