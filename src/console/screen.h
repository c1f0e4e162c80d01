/*
 * The screen, as 25 rows of 80 characters, whatever draws them.
 *
 * Owns the characters that are on it, so that only what changes is drawn: video memory is
 * slow to write and slower to read.
 */
#ifndef HYMIR_CONSOLE_SCREEN_H
#define HYMIR_CONSOLE_SCREEN_H

#include "lib/sheet.h"

#include <stddef.h>

/* Draws one character; row is below SHEET_ROWS, column below SHEET_COLUMNS. */
typedef void screen_draw(size_t row, size_t column, char character,
                         enum emphasis emphasis);

/*
 * Starts with an empty screen, drawn by draw. Before this the other functions do nothing.
 */
void screen_init(screen_draw *draw);

/*
 * Shows lines below what is there, scrolling. A line is shown when its line feed comes;
 * one that is longer than a row is broken at blanks.
 */
void screen_write(const char *text, size_t length);

/* Replaces all that is there by the sheet. What screen_write brings later stands below.
 */
void screen_show(const struct sheet *sheet);

#endif
