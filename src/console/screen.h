/*
 * The screen: 25 rows of 80 characters, independent of the display hardware.
 *
 * Owns a copy of the characters, so that only changes are drawn: video memory is slow to
 * write and slower to read. All text goes through a terminal, which has no cursor until
 * screen_start_terminal makes it the guest's; it then also shows Hymir's lines.
 */
#ifndef HYMIR_CONSOLE_SCREEN_H
#define HYMIR_CONSOLE_SCREEN_H

#include "lib/framebuffer.h"
#include "lib/sheet.h"
#include "terminal/terminal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A code page 437 character and its colours, as in VGA text memory. */
struct screen_cell {
    uint8_t character;
    uint8_t attribute; /* background in bits 6:4, foreground in bits 3:0 */
};

/* Draws one character; row is below SHEET_ROWS, column below SHEET_COLUMNS. */
typedef void screen_draw(size_t row, size_t column, struct screen_cell cell);

/*
 * VGA text mode: 80x25 characters, or the top left corner of a larger mode. Hides the
 * cursor. *framebuffer is FRAMEBUFFER_TEXT, or FRAMEBUFFER_NONE for the BIOS default of
 * 80x25 at 0xB8000, mapped by mm/address_space. Logs a warning and returns false if the
 * screen is smaller, or not in VGA memory.
 */
bool vga_text_init(const struct framebuffer *framebuffer);
screen_draw vga_text_draw;

/*
 * Text on a framebuffer: the screen of a UEFI machine. 80x25 characters of 8x16 pixels,
 * scaled by the largest integer factor that fits, and centred; the built-in font is
 * Debian's fonts-spleen. Maps the framebuffer; logs the reason and returns false if it is
 * unusable.
 */
bool framebuffer_text_init(const struct framebuffer *framebuffer);
screen_draw framebuffer_text_draw;

/* Clears the screen, drawn by draw. Before this call, all others have no effect. */
void screen_init(screen_draw *draw);

/*
 * Writes lines below the existing text, scrolling. A line appears once complete, wrapped
 * at blanks; a terminal shows characters at once and wraps anywhere.
 */
void screen_write(const char *text, size_t length);

/* Replaces the screen's contents with a sheet. Later lines are written below it. */
void screen_show(const struct sheet *sheet);

/*
 * Turns the screen into a terminal, keeping its text, with the cursor below. Replies to
 * queries go to answer, which may be NULL.
 */
void screen_start_terminal(terminal_answer *answer);

/* Writes a guest's bytes to the terminal; drawn by the next screen_update or line. */
void screen_pass(const char *bytes, size_t size);

/* Redraws what changed since the last update. */
void screen_update(void);

#endif
