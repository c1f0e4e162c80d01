/*
 * The terminal's cells, cursor, pen and control functions; internal to terminal/.
 *
 * Each function of the screen keeps the cursor on the screen for any count, row and
 * column, and marks the rows it changes. Names in parentheses are those of ECMA-48,
 * "Definition of control functions" (8.3), and of the DEC VT100 user guide, "Control
 * Sequences". For the pen: ECMA-48, "SGR - Select graphic rendition" (8.3.117);
 * console_codes(4), "ECMA-48 Select Graphic Rendition", for bright, 256-colour and 24-bit
 * colours.
 *
 * Pure; the state is the caller's struct terminal.
 */
#ifndef HYMIR_TERMINAL_SCREEN_H
#define HYMIR_TERMINAL_SCREEN_H

#include "terminal/terminal.h"

/* Resets everything but the size, the cells' address and the answer function (RIS). */
void terminal_reset(struct terminal *terminal);

/* Writes a character, not a control, at the cursor and advances the cursor. */
void terminal_put_character(struct terminal *terminal, uint16_t character);

/* Repeats the last character count times (REP). */
void terminal_repeat_character(struct terminal *terminal, uint16_t count);

/* Moves the cursor down or up one row, scrolling at the region's edge (IND, RI). */
void terminal_index(struct terminal *terminal);
void terminal_reverse_index(struct terminal *terminal);

/* Scrolls the region by count rows (SU, SD). */
void terminal_scroll_up(struct terminal *terminal, uint16_t count);
void terminal_scroll_down(struct terminal *terminal, uint16_t count);

/* Insert or delete rows at the cursor, if it is in the region (IL, DL). */
void terminal_insert_rows(struct terminal *terminal, uint16_t count);
void terminal_delete_rows(struct terminal *terminal, uint16_t count);

/* Insert, delete or erase characters in the cursor's row (ICH, DCH, ECH). */
void terminal_insert_characters(struct terminal *terminal, uint16_t count);
void terminal_delete_characters(struct terminal *terminal, uint16_t count);
void terminal_erase_characters(struct terminal *terminal, uint16_t count);

/*
 * Erase the row or the screen (EL, ED): from the cursor (0), up to and including it (1),
 * or all (2). Other values of part are ignored.
 */
void terminal_erase_row(struct terminal *terminal, uint16_t part);
void terminal_erase_screen(struct terminal *terminal, uint16_t part);

/* Sets the cursor's column on the screen, from 0. */
void terminal_set_column(struct terminal *terminal, uint32_t column);

/* Sets or returns the cursor's row, from 0, relative to the region if DECOM is set. */
void terminal_set_origin_row(struct terminal *terminal, uint32_t row);
uint16_t terminal_origin_row(const struct terminal *terminal);

/* Move the cursor up to the screen's edge, or vertically the region's (CUU...). */
void terminal_move_up(struct terminal *terminal, uint16_t count);
void terminal_move_down(struct terminal *terminal, uint16_t count);
void terminal_move_left(struct terminal *terminal, uint16_t count);
void terminal_move_right(struct terminal *terminal, uint16_t count);

/* Move the cursor by count tab stops, at most to the edge (CHT, CBT). */
void terminal_move_tabs(struct terminal *terminal, uint16_t count);
void terminal_move_tabs_back(struct terminal *terminal, uint16_t count);

/*
 * Save and restore the cursor state (DECSC, DECRC); the alternate screen has its own
 * saved cursor.
 */
void terminal_save_cursor(struct terminal *terminal);
void terminal_restore_cursor(struct terminal *terminal);

/*
 * Enters or leaves the alternate screen, clearing the screen. If with_cursor, entering
 * saves the cursor and leaving restores it. No effect if already in the requested state.
 */
void terminal_use_alternative(struct terminal *terminal, bool is_used, bool with_cursor);

/*
 * Sets the first and last row of the scroll region, from 0, and moves the cursor home
 * (DECSTBM). Ignored if the region has fewer than two rows.
 */
void terminal_set_region(struct terminal *terminal, uint32_t top, uint32_t bottom);

/* The default pen: light grey on black. */
extern const struct terminal_pen terminal_default_pen;

/* Applies count SGR parameters in order; unknown ones are ignored. */
void terminal_change_pen(struct terminal_pen *pen, const uint16_t *parameters,
                         size_t count);

/*
 * Returns the cell for a character written with the pen. Bold text is bright; underlined
 * text is cyan, as on the Linux console, because VGA colour text has no underline.
 */
struct terminal_cell terminal_pen_cell(const struct terminal_pen *pen,
                                       uint16_t character);

/* The introducer of a control function; DEC private sequences have '?' instead. */
enum terminal_introducer {
    TERMINAL_AFTER_CSI     = 0,
    TERMINAL_AFTER_NOTHING = 1, /* a control character */
    TERMINAL_AFTER_ESC     = 0x1B,
};

/*
 * Executes the control function with an introducer, or a marker after CSI, and a final
 * byte. number is its first parameter, 0 if absent; all are in terminal->sequence.
 * Unknown functions are ignored.
 */
void terminal_execute(struct terminal *terminal, uint8_t introducer, uint8_t last,
                      uint16_t number);

#endif
