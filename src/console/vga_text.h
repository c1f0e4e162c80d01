/*
 * The VGA text screen of a PC with BIOS: 80x25 characters, or the first of a larger one.
 *
 * Owns where it is.
 */
#ifndef HYMIR_CONSOLE_VGA_TEXT_H
#define HYMIR_CONSOLE_VGA_TEXT_H

#include "console/screen.h"
#include "lib/framebuffer.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Hides the cursor. *framebuffer is FRAMEBUFFER_TEXT, or FRAMEBUFFER_NONE for what a BIOS
 * leaves: 80x25 at 0xB8000. The memory is mapped by mm/address_space. False if the screen
 * is smaller, or not where VGA has it.
 */
bool vga_text_init(const struct framebuffer *framebuffer);

/* Draws one character. A screen_draw. */
void vga_text_draw(size_t row, size_t column, struct screen_cell cell);

#endif
