/* See scan_code.h. */
#include "platform/scan_code.h"

#include "lib/bits.h"
#include "lib/string.h"

#define EXTENDED      0xE0U
#define PAUSE         0xE1U /* followed by two bytes, for press and for release */
#define PAUSE_BYTES   2U
#define RELEASED      0x80U
#define LEFT_SHIFT    0x2AU
#define RIGHT_SHIFT   0x36U
#define CONTROL       0x1DU
#define ALT           0x38U
#define CAPS_LOCK     0x3AU
#define CHARACTER_ESC '\x1B'

/* The characters of the keys from 0x00; 0 if the key has none, see sequences. */
static const char plain[] = "\0\x1B"
                            "1234567890-=\x7F\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./"
                            "\0*\0 \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0-\0\0\0+";
static const char shifted[] =
    "\0\x1B"
    "!@#$%^&*()_+\x7F\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?"
    "\0*\0 \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0-\0\0\0+";
_Static_assert(sizeof(plain) == sizeof(shifted), "the same keys");

/* The sequences of the extended keys, the function keys and the number pad. */
static const char *const sequences[] = {
    [0x3B] = "\x1B[[A",  [0x3C] = "\x1B[[B",  [0x3D] = "\x1B[[C",  [0x3E] = "\x1B[[D",
    [0x3F] = "\x1B[[E",  [0x40] = "\x1B[17~", [0x41] = "\x1B[18~", [0x42] = "\x1B[19~",
    [0x43] = "\x1B[20~", [0x44] = "\x1B[21~", [0x47] = "\x1B[1~",  [0x48] = "\x1B[A",
    [0x49] = "\x1B[5~",  [0x4B] = "\x1B[D",   [0x4D] = "\x1B[C",   [0x4F] = "\x1B[4~",
    [0x50] = "\x1B[B",   [0x51] = "\x1B[6~",  [0x52] = "\x1B[2~",  [0x53] = "\x1B[3~",
    [0x57] = "\x1B[23~", [0x58] = "\x1B[24~",
};

static bool is_any_pressed(const bool pair[2])
{
    return pair[0] || pair[1];
}

/* Updates the modifiers; false if the key is not one. */
static bool update_modifier(struct scan_code_state *state, uint8_t key, bool is_pressed)
{
    switch (key) {
    case LEFT_SHIFT:
    case RIGHT_SHIFT:
        if (!state->is_extended) /* E0 2A and E0 36 are prefixes of other keys */
            state->has_shift[key == RIGHT_SHIFT] = is_pressed;
        return true;
    case CONTROL:
        state->has_control[state->is_extended] = is_pressed;
        return true;
    case ALT:
        state->has_alt[state->is_extended] = is_pressed;
        return true;
    case CAPS_LOCK:
        state->has_caps_lock ^= is_pressed;
        return true;
    default:
        return false;
    }
}

/* Returns the character of a key with the current modifiers, or 0. */
static char find_character(const struct scan_code_state *state, uint8_t key)
{
    if (key >= sizeof(plain) - 1)
        return 0;
    char character = plain[key];
    bool is_letter = character >= 'a' && character <= 'z';
    if (is_any_pressed(state->has_shift) != (is_letter && state->has_caps_lock))
        character = shifted[key];
    if (is_any_pressed(state->has_control) && character >= '@' && character <= '~')
        character &= 0x1F;
    return character;
}

/* Stores the sequence of a key; returns its length, or 0. */
static size_t store_sequence(uint8_t key, char *bytes)
{
    if (key >= ARRAY_SIZE(sequences) || sequences[key] == NULL)
        return 0;
    size_t length = strlen(sequences[key]);
    memcpy(bytes, sequences[key], length);
    return length;
}

/* Stores the bytes of a key, after ESC if Alt is pressed; returns their number. */
static size_t store_key(const struct scan_code_state *state, uint8_t key, char *bytes)
{
    static const uint8_t keypad_enter = 0x1C, keypad_slash = 0x35;
    bool has_character =
        !state->is_extended || key == keypad_enter || key == keypad_slash;
    char character = has_character ? find_character(state, key) : 0;
    size_t length  = 0;

    if (character == 0)
        return store_sequence(key, bytes);
    if (is_any_pressed(state->has_alt))
        bytes[length++] = CHARACTER_ESC;
    bytes[length++] = character;
    return length;
}

size_t scan_code_decode(struct scan_code_state *state, uint8_t code,
                        char bytes[SCAN_CODE_MAX_BYTES])
{
    uint8_t key   = code & (uint8_t)~RELEASED;
    size_t length = 0;

    if (state->skipped > 0) {
        state->skipped--;
        return 0;
    }
    if (code == EXTENDED) {
        state->is_extended = true;
        return 0;
    }
    if (code == PAUSE) {
        state->skipped = PAUSE_BYTES;
        return 0;
    }
    bool is_pressed = (code & RELEASED) == 0;
    if (!update_modifier(state, key, is_pressed) && is_pressed)
        length = store_key(state, key, bytes);
    state->is_extended = false;
    return length;
}
