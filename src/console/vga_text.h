/*
 * VGA text mode: 80x25 characters, or the top left corner of a larger mode.
 *
 * Owns the address of the text memory.
 */
#ifndef HYMIR_CONSOLE_VGA_TEXT_H
#define HYMIR_CONSOLE_VGA_TEXT_H

#include "console/screen.h"
#include "lib/framebuffer.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Hides the cursor. *framebuffer is FRAMEBUFFER_TEXT, or FRAMEBUFFER_NONE for the BIOS
 * default of 80x25 at 0xB8000, mapped by mm/address_space. Logs a warning and returns
 * false if the screen is smaller, or not in VGA memory.
 */
bool vga_text_init(const struct framebuffer *framebuffer);

/* Draws one character; a screen_draw function. */
void vga_text_draw(size_t row, size_t column, struct screen_cell cell);

#endif
