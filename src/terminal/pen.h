/*
 * The pen with which a terminal writes: lib/terminal*.c only.
 *
 * ECMA-48, "SGR - Select graphic rendition" (8.3.117); console_codes(4), "ECMA-48 Select
 * Graphic Rendition", for the bright colours and those of 256 and of 24 bits. Pure.
 */
#ifndef HYMIR_TERMINAL_PEN_H
#define HYMIR_TERMINAL_PEN_H

#include "terminal/terminal.h"

/* The pen that nothing has changed: light grey on black. */
struct terminal_pen terminal_default_pen(void);

/* Changes the pen by count parameters, one after the other; unknown ones are skipped. */
void terminal_change_pen(struct terminal_pen *pen, const uint16_t *parameters,
                         size_t count);

/*
 * A character as the pen writes it. Bold text is bright; underlined text is cyan, as on
 * Linux's console, because VGA's colours know no underline.
 */
struct terminal_cell terminal_pen_cell(const struct terminal_pen *pen,
                                       uint16_t character);

/* A cell as the pen erases it: a blank, with the background but not reversed. */
struct terminal_cell terminal_pen_blank(const struct terminal_pen *pen);

#endif
