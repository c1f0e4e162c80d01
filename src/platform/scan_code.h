/*
 * Translates a PC keyboard's scan codes to the bytes that a terminal sends.
 *
 * Scan code set 1, which the 8042 translates to: IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboards". US layout. Keys without a character send the sequences of
 * the DEC VT220 Programmer Reference Manual, "Keyboard Codes", and the Linux console.
 * Pure.
 */
#ifndef HYMIR_PLATFORM_SCAN_CODE_H
#define HYMIR_PLATFORM_SCAN_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The maximum number of bytes that a key sends. */
#define SCAN_CODE_MAX_BYTES 6

struct scan_code_state {
    bool is_extended;                              /* the last byte was 0xE0 */
    uint8_t skipped;                               /* remaining bytes of the Pause key */
    bool has_shift[2], has_control[2], has_alt[2]; /* left, right */
    bool has_caps_lock;
};

/*
 * Processes a byte from the keyboard and stores the bytes that the key sends. Returns
 * their number: 0 for modifiers and released keys.
 */
size_t scan_code_decode(struct scan_code_state *state, uint8_t code,
                        char bytes[SCAN_CODE_MAX_BYTES]);

#endif
