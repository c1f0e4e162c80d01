/*
 * A sheet: one 80x25 screen of text, composed before it is shown, so that the screen, the
 * serial line and the unit tests get the same text and nothing scrolls off.
 *
 * Pure; the caller owns the sheet.
 */
#ifndef HYMIR_LIB_SHEET_H
#define HYMIR_LIB_SHEET_H

#include "lib/format.h"

#include <stdbool.h>
#include <stddef.h>

#define SHEET_COLUMNS 80
#define SHEET_ROWS    25

/* The importance of a row; each display maps it to a colour. */
enum emphasis {
    EMPHASIS_NORMAL,
    EMPHASIS_TITLE,
    EMPHASIS_GOOD,
    EMPHASIS_BAD,
    EMPHASIS_CAUTION,
    EMPHASIS_FAINT,
};

struct sheet {
    size_t rows;   /* in use, at most SHEET_ROWS */
    bool overflow; /* a row was dropped because the sheet was full */
    struct sheet_row {
        enum emphasis emphasis;
        char text[SHEET_COLUMNS + 1];
    } row[SHEET_ROWS];
};

/* Adds one row; more than 80 columns are truncated with "...". */
void sheet_add(struct sheet *sheet, enum emphasis emphasis, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Adds text wrapped at blanks over at most rows rows, truncated with "..."; rows after
 * the first are indented by indent columns, fewer than 40.
 */
void sheet_add_wrapped(struct sheet *sheet, enum emphasis emphasis, size_t rows,
                       size_t indent, const char *text);

/* Appends a row's text, with code page 437's blocks as UTF-8. */
void sheet_append_row(struct text *text, const struct sheet_row *row);

/* Returns how many characters fit in width columns, breaking at a blank if any. */
size_t sheet_fitting_length(const char *text, size_t width);

/* Returns how many rows text fills when wrapped without indentation. */
size_t sheet_wrapped_rows(const char *text);

#endif
