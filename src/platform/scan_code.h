/*
 * A PC keyboard: its scan codes as the bytes that a terminal's keyboard sends.
 *
 * Scan code set 1, which the 8042 translates to: IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboards". US layout. Keys without a character send what DEC VT220
 * Programmer Reference Manual, "Keyboard Codes", and the Linux console have for them.
 * Pure.
 */
#ifndef HYMIR_PLATFORM_SCAN_CODE_H
#define HYMIR_PLATFORM_SCAN_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that a key sends. */
#define SCAN_CODE_MAX_BYTES 6

struct scan_code_state {
    bool is_extended; /* 0xE0 was the last byte */
    uint8_t skipped;  /* bytes of the Pause key that are still to come */
    bool has_shift[2], has_control[2], has_alt[2]; /* left, right */
    bool has_caps_lock;
};

/*
 * Takes a byte of the keyboard's; returns how many bytes the key sends, and puts them
 * into bytes: none for a key that is released, or a modifier.
 */
size_t scan_code_decode(struct scan_code_state *state, uint8_t code,
                        char bytes[SCAN_CODE_MAX_BYTES]);

#endif
