/*
 * The terminal's pen, its current graphic rendition; internal to terminal/.
 *
 * ECMA-48, "SGR - Select graphic rendition" (8.3.117); console_codes(4), "ECMA-48 Select
 * Graphic Rendition", for bright, 256-colour and 24-bit colours. Pure.
 */
#ifndef HYMIR_TERMINAL_PEN_H
#define HYMIR_TERMINAL_PEN_H

#include "terminal/terminal.h"

/* Returns the default pen: light grey on black. */
struct terminal_pen terminal_default_pen(void);

/* Applies count SGR parameters in order; unknown ones are ignored. */
void terminal_change_pen(struct terminal_pen *pen, const uint16_t *parameters,
                         size_t count);

/*
 * Returns the cell for a character written with the pen. Bold text is bright; underlined
 * text is cyan, as on the Linux console, because VGA colour text has no underline.
 */
struct terminal_cell terminal_pen_cell(const struct terminal_pen *pen,
                                       uint16_t character);

/* Returns an erased cell: a blank in the pen's colours, not reversed. */
struct terminal_cell terminal_pen_blank(const struct terminal_pen *pen);

#endif
