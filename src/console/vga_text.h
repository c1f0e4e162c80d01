/*
 * The VGA text screen of a PC with BIOS: 80x25 characters at 0xB8000.
 */
#ifndef HYMIR_CONSOLE_VGA_TEXT_H
#define HYMIR_CONSOLE_VGA_TEXT_H

#include "lib/sheet.h"

#include <stddef.h>

/* Hides the cursor; the memory is mapped by mm/address_space. */
void vga_text_init(void);

/* Draws one character. A screen_draw. */
void vga_text_draw(size_t row, size_t column, char character, enum emphasis emphasis);

#endif
