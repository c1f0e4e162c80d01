/*
 * The screen, as 25 rows of 80 characters, whatever draws them.
 *
 * Owns the characters that are on it, so that only what changes is drawn: video memory is
 * slow to write and slower to read. At first it shows lines and sheets; from
 * screen_start_terminal on it is a guest's terminal, in which Hymir's lines come too.
 */
#ifndef HYMIR_CONSOLE_SCREEN_H
#define HYMIR_CONSOLE_SCREEN_H

#include "lib/sheet.h"
#include "terminal/terminal.h"

#include <stddef.h>
#include <stdint.h>

/* A character of code page 437 and its colours, as VGA's text memory has them. */
struct screen_cell {
    uint8_t character;
    uint8_t attribute; /* background in bits 6:4, foreground in bits 3:0 */
};

/* Draws one character; row is below SHEET_ROWS, column below SHEET_COLUMNS. */
typedef void screen_draw(size_t row, size_t column, struct screen_cell cell);

/*
 * Starts with an empty screen, drawn by draw. Before this the other functions do nothing.
 */
void screen_init(screen_draw *draw);

/*
 * Shows lines below what is there, scrolling. A line is shown when its line feed comes;
 * one that is longer than a row is broken at blanks, or, in a terminal, where it is.
 */
void screen_write(const char *text, size_t length);

/* Replaces all that is there by the sheet. What screen_write brings later stands below.
 */
void screen_show(const struct sheet *sheet);

/*
 * Makes it a terminal; what is there stays, with the cursor below. answer, which may be
 * NULL, gets what programs ask it.
 */
void screen_start_terminal(terminal_answer *answer);

/*
 * Gives a terminal bytes of its program's; they are seen at the next screen_update, or
 * line of Hymir's.
 */
void screen_pass(const char *bytes, size_t size);

/* Draws what has changed. */
void screen_update(void);

#endif
