/*
 * Everything that a person or a script reads: the serial line, the debug port, the
 * screen.
 *
 * Owns which of them are in use. The serial line and the debug port are streams, they get
 * every line; the screen shows the log while Hymir works and one sheet when it is done.
 */
#ifndef HYMIR_CONSOLE_CONSOLE_H
#define HYMIR_CONSOLE_CONSOLE_H

#include "lib/framebuffer.h"
#include "lib/options.h"
#include "lib/sheet.h"
#include "terminal/terminal.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Starts the streams that the options name and gives them the log, with what it already
 * holds. False if there is none of them.
 */
bool console_start_streams(const struct options *options);

/*
 * Starts the screen, unless the options leave it out or it was started before: the
 * framebuffer that the boot loader describes, or VGA text, if it describes that, or
 * nothing at all on a machine with BIOS.
 */
void console_start_screen(const struct options *options,
                          const struct framebuffer *framebuffer, bool is_efi);

/*
 * Show a sheet: the whole screen of it, and its rows on the streams. The second, for who
 * turns pages, first erases the terminal at the serial line, which may have 24 rows: it
 * gets the last row without a line end, and not the row above, if that is empty; code
 * page 437's blocks are UTF-8 there. The third: on the screen alone.
 */
void console_show(const struct sheet *sheet);
void console_show_page(const struct sheet *sheet);
void console_show_on_screen(const struct sheet *sheet);

/*
 * Writes a line to the streams alone, from column 0: the contract with scripts. At most
 * CONSOLE_LINE_SIZE - 1 characters, the rest is cut; the format has no line end.
 */
#define CONSOLE_LINE_SIZE 896
void console_write_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Writes text for machines as it is: to the debug port, and to the serial line if the
 * options have report=json. It starts and ends a line of its own.
 */
void console_write_data(const char *text, size_t length);

/*
 * Makes the screen a terminal, with what it shows. What programs ask it is answered to
 * answer, unless there is a serial line, whose terminal answers. On the boot CPU, before
 * any guest.
 */
void console_start_terminal(terminal_answer *answer);

/*
 * Bring what a program may have set of both terminals back; the second also erases what
 * they show.
 */
void console_reset_terminal(void);
void console_clear_terminal(void);

/*
 * Passes a guest's bytes on as they are, to the streams and the terminal. A line of
 * Hymir's own that comes next starts a new one.
 */
void console_pass(const char *bytes, size_t size);

/* Has the screen show what was passed. */
void console_update(void);

/* Waits until all that was written has left the machine. */
void console_drain(void);

#endif
