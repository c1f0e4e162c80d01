/*
 * A sheet: the text of one 80x25 screen, composed before it is shown, so that the same
 * words reach the screen, the serial line and the unit tests, and nothing scrolls off.
 *
 * Pure; the caller owns the sheet.
 */
#ifndef HYMIR_LIB_SHEET_H
#define HYMIR_LIB_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#define SHEET_COLUMNS 80
#define SHEET_ROWS    25

/*
 * What a row says to someone who only glances at it; each screen has its own colour for
 * it.
 */
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

/* Adds one row; one of more than 80 columns is cut, and ends in "...". */
void sheet_add(struct sheet *sheet, enum emphasis emphasis, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Adds text in as many rows as it needs, at most rows of them, broken at blanks; the rows
 * behind the first start with indent blanks. What does not fit ends in "...". indent is
 * below 40.
 */
void sheet_add_wrapped(struct sheet *sheet, enum emphasis emphasis, size_t rows,
                       size_t indent, const char *text);

/*
 * How many characters of text go into a row of width columns, up to a blank if there is
 * one.
 */
size_t sheet_fitting_length(const char *text, size_t width);

/* How many rows sheet_add_wrapped needs for text, without a limit and an indent. */
size_t sheet_wrapped_rows(const char *text);

#endif
