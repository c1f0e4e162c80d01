/*
 * Text on a framebuffer: the screen of a machine with UEFI.
 *
 * Owns the framebuffer. 80x25 characters of 8x16 pixels, enlarged by the largest whole
 * number that fits and centred. The font is Debian's fonts-spleen, built in.
 */
#ifndef HYMIR_CONSOLE_FRAMEBUFFER_TEXT_H
#define HYMIR_CONSOLE_FRAMEBUFFER_TEXT_H

#include "console/screen.h"
#include "lib/framebuffer.h"

#include <stdbool.h>
#include <stddef.h>

/* Maps the framebuffer; false, with the reason in the log, if it cannot be used. */
bool framebuffer_text_init(const struct framebuffer *framebuffer);

/* Draws one character. A screen_draw. */
void framebuffer_text_draw(size_t row, size_t column, struct screen_cell cell);

#endif
