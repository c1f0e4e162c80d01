/*
 * Text on a framebuffer: the screen of a UEFI machine.
 *
 * Owns the framebuffer. 80x25 characters of 8x16 pixels, scaled by the largest integer
 * factor that fits, and centred. The built-in font is Debian's fonts-spleen.
 */
#ifndef HYMIR_CONSOLE_FRAMEBUFFER_TEXT_H
#define HYMIR_CONSOLE_FRAMEBUFFER_TEXT_H

#include "console/screen.h"
#include "lib/framebuffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Maps the framebuffer; logs the reason and returns false if it is unusable. */
bool framebuffer_text_init(const struct framebuffer *framebuffer);

/* Draws one character; a screen_draw function. */
void framebuffer_text_draw(size_t row, size_t column, struct screen_cell cell);

#endif
