/*
 * The half of a terminal that knows cells and the cursor: lib/terminal*.c only.
 *
 * Each function keeps the cursor on the screen, whatever count, row and column are, and
 * marks the rows that it changes. Names in brackets are those of ECMA-48, "Definition of
 * control functions" (8.3), and of the DEC VT100 user guide, "Control Sequences".
 *
 * Pure; the state is the caller's struct terminal.
 */
#ifndef HYMIR_TERMINAL_SCREEN_H
#define HYMIR_TERMINAL_SCREEN_H

#include "terminal/terminal.h"

/* Brings everything but the size, the cells' address and the answer to its start (RIS).
 */
void terminal_reset(struct terminal *terminal);

/* Writes a character, which is no control character, at the cursor, and moves on. */
void terminal_put_character(struct terminal *terminal, uint16_t character);

/* Writes the last character count times again (REP). */
void terminal_repeat_character(struct terminal *terminal, uint16_t count);

/* One row down or up, scrolling the region at its end (IND, RI). */
void terminal_index(struct terminal *terminal);
void terminal_reverse_index(struct terminal *terminal);

/* Scrolls the region by count rows (SU, SD). */
void terminal_scroll_up(struct terminal *terminal, uint16_t count);
void terminal_scroll_down(struct terminal *terminal, uint16_t count);

/* Inserts and deletes rows at the cursor, if it is in the region (IL, DL). */
void terminal_insert_rows(struct terminal *terminal, uint16_t count);
void terminal_delete_rows(struct terminal *terminal, uint16_t count);

/* Inserts, deletes and erases characters in the cursor's row (ICH, DCH, ECH). */
void terminal_insert_characters(struct terminal *terminal, uint16_t count);
void terminal_delete_characters(struct terminal *terminal, uint16_t count);
void terminal_erase_characters(struct terminal *terminal, uint16_t count);

/*
 * Erases from the cursor on (0), up to the cursor (1), or all (2), of the row or of the
 * screen (EL, ED); another part is nothing.
 */
void terminal_erase_row(struct terminal *terminal, uint16_t part);
void terminal_erase_screen(struct terminal *terminal, uint16_t part);

/* Sets the cursor, in rows and columns of the screen, from 0. */
void terminal_set_column(struct terminal *terminal, uint32_t column);
void terminal_set_row(struct terminal *terminal, uint32_t row);

/* Sets the cursor's row as programs count it, from 0, in the region or on the screen. */
void terminal_set_origin_row(struct terminal *terminal, uint32_t row);

/* The cursor's row as programs count it, from 0. */
uint16_t terminal_origin_row(const struct terminal *terminal);

/* Moves the cursor, up to the edge; up and down not out of the region (CUU...). */
void terminal_move_up(struct terminal *terminal, uint16_t count);
void terminal_move_down(struct terminal *terminal, uint16_t count);
void terminal_move_left(struct terminal *terminal, uint16_t count);
void terminal_move_right(struct terminal *terminal, uint16_t count);

/* Moves the cursor by count tab stops, or to the edge (CHT, CBT). */
void terminal_move_tabs(struct terminal *terminal, uint16_t count);
void terminal_move_tabs_back(struct terminal *terminal, uint16_t count);

/* Sets or clears the tab stop at the cursor; clears all of them (HTS, TBC). */
void terminal_set_tab_stop(struct terminal *terminal, bool is_set);
void terminal_clear_tab_stops(struct terminal *terminal);

/*
 * Saves the cursor and what belongs to it, and brings it back (DECSC, DECRC); the
 * alternative screen has a saved cursor of its own.
 */
void terminal_save_cursor(struct terminal *terminal);
void terminal_restore_cursor(struct terminal *terminal);

/*
 * Enters or leaves the alternative screen, which has no cells of its own: both clear the
 * screen. With its cursor, entering saves that and leaving restores it. Nothing happens
 * if the screen is in use already, or was not.
 */
void terminal_use_alternative(struct terminal *terminal, bool is_used, bool with_cursor);

/*
 * Sets the first and the last row of the scroll region, from 0, and moves the cursor home
 * (DECSTBM). One of less than two rows is refused, and nothing changes.
 */
void terminal_set_region(struct terminal *terminal, uint32_t top, uint32_t bottom);

#endif
