/*
 * Encodes a text as a QR code, which a phone reads off the screen.
 *
 * ISO/IEC 18004, "Symbol description" and "Requirements": alphanumeric mode, error
 * correction level L, versions 1 to 6, the sizes that fit on a text screen. Pure.
 */
#ifndef HYMIR_REPORT_QR_CODE_H
#define HYMIR_REPORT_QR_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The supported characters, in the order of their values. */
#define QR_CODE_ALPHABET "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

/* The longest text, in characters, and the most modules in a row or column. */
#define QR_CODE_MAX_TEXT 195
#define QR_CODE_MAX_SIZE 41

struct qr_code {
    unsigned int size;               /* modules in a row and in a column */
    uint64_t dark[QR_CODE_MAX_SIZE]; /* by row; bit n is column n */
};

/*
 * Creates the smallest code that holds the text. Returns false if the text is too long or
 * has a character that is not in the alphabet.
 */
bool qr_code_make(const char *text, struct qr_code *code);

/* Returns whether a module is dark; those outside the code are light. */
static inline bool qr_code_is_dark(const struct qr_code *code, int row, int column)
{
    int size = (int)code->size;
    return row >= 0 && row < size && column >= 0 && column < size &&
           (code->dark[row] >> column & 1) != 0;
}

#endif
