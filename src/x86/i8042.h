/*
 * The 8042 keyboard controller of a PC.
 *
 * IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device
 * Controller".
 */
#ifndef HYMIR_X86_I8042_H
#define HYMIR_X86_I8042_H

#define I8042_PORT_DATA    0x60
#define I8042_PORT_COMMAND 0x64 /* read: status */

#define I8042_STATUS_OUTPUT_FULL 0x01U
#define I8042_STATUS_INPUT_FULL  0x02U
#define I8042_STATUS_COMMAND     0x08U /* the last write was a command */
#define I8042_STATUS_NOT_LOCKED  0x10U
#define I8042_STATUS_MOUSE       0x20U /* the output buffer holds a byte of the mouse */
#define I8042_STATUS_TIMEOUT     0x40U /* a device did not answer: the byte is TIMED_OUT */

/* The command byte, which is byte 0 of the RAM. */
#define I8042_CONFIG_INTERRUPT       0x01U
#define I8042_CONFIG_MOUSE_INTERRUPT 0x02U
#define I8042_CONFIG_SYSTEM          0x04U
#define I8042_CONFIG_NO_KEYBOARD     0x10U
#define I8042_CONFIG_NO_MOUSE        0x20U
#define I8042_CONFIG_TRANSLATES      0x40U /* to scan code set 1 */

/* The input port and the output port. */
#define I8042_INPUT_NOT_INHIBITED 0x80U
#define I8042_OUTPUT_NOT_RESET    0x01U
#define I8042_OUTPUT_A20          0x02U

enum i8042_command {
    I8042_READ_RAM           = 0x20, /* to 0x3F */
    I8042_WRITE_RAM          = 0x60,
    I8042_TEST_PASSWORD      = 0xA4,
    I8042_NO_MOUSE           = 0xA7,
    I8042_MOUSE              = 0xA8,
    I8042_TEST_MOUSE         = 0xA9,
    I8042_TEST               = 0xAA,
    I8042_TEST_LINE          = 0xAB,
    I8042_NO_KEYBOARD        = 0xAD,
    I8042_KEYBOARD           = 0xAE,
    I8042_READ_INPUT         = 0xC0,
    I8042_READ_OUTPUT        = 0xD0,
    I8042_WRITE_OUTPUT       = 0xD1,
    I8042_WRITE_BUFFER       = 0xD2, /* as if the keyboard had sent the byte */
    I8042_WRITE_MOUSE_BUFFER = 0xD3,
    I8042_WRITE_MOUSE        = 0xD4,
    I8042_READ_LINES         = 0xE0, /* the test inputs: the keyboard's lines */
    I8042_PULSE              = 0xF0, /* and above: pulses the output bits that are 0 */
};
#define I8042_PULSE_RESET 0xFE

/* Commands to a keyboard, and its answers: the same document, "Keyboards". */
enum keyboard_command {
    KEYBOARD_ECHO     = 0xEE, /* is answered by the same byte */
    KEYBOARD_IDENTIFY = 0xF2, /* is acknowledged; two bytes follow */
    KEYBOARD_ENABLE   = 0xF4, /* scanning of the keys */
};
#define KEYBOARD_ACKNOWLEDGES 0xFAU
#define KEYBOARD_RESEND       0xFEU
#define KEYBOARD_ID_BYTES     2

#define I8042_TEST_PASSED    0x55U
#define I8042_NO_PASSWORD    0xF1U
#define I8042_TIMED_OUT      0xFEU
#define I8042_LINE_CLOCK_LOW 0x01U /* result of a line test without a device */
#define I8042_LINES_DATA     0x02U

#endif
