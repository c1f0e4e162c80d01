/*
 * All output for users and scripts: the serial line, the debug port, the screen.
 *
 * Owns which of them are in use. The serial line and the debug port are streams, which
 * receive every line; the screen shows the log, and the final sheet.
 */
#ifndef HYMIR_CONSOLE_CONSOLE_H
#define HYMIR_CONSOLE_CONSOLE_H

#include "lib/options.h"
#include "lib/sheet.h"
#include "terminal/terminal.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Starts the streams that the options select, and replays the log to them: the debug port
 * and the serial port, unless that is not known yet. Selects the screen if none of them
 * is present.
 */
void console_start_streams(struct options *options);

/*
 * Continues at the serial port that the options select by ACPI's tables, PCI or an
 * address in memory, with all of the log. Selects and starts the screen if no selected
 * output is present. Called when the ACPI tables have been found, in Hymir's own address
 * space.
 */
void console_find_serial_port(struct options *options);

/*
 * Starts the screen unless the options exclude it or it was tried before: the framebuffer
 * or VGA text mode that the boot loader describes, or, if it describes none on a BIOS
 * machine, VGA text.
 */
void console_start_screen(const struct options *options);

/* Shows a sheet on the screen and writes its rows to the streams. */
void console_show(const struct sheet *sheet);

/*
 * Shows a page of the interactive viewer on the screen and on the streams, after clearing
 * the serial terminal. To fit its 24 rows, an empty second-to-last row is omitted and the
 * last row has no line end. Code page 437's blocks are written as UTF-8.
 */
void console_show_page(const struct sheet *sheet);

/*
 * Writes a line for scripts, to the streams only, truncated to CONSOLE_LINE_SIZE - 1
 * characters; the format has no line end.
 */
#define CONSOLE_LINE_SIZE 896
void console_write_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Writes machine-readable text verbatim to the debug port, and with report=json to the
 * serial line. The text consists of whole lines.
 */
void console_write_data(const char *text, size_t length);

/*
 * Turns the screen into a terminal, keeping its text. Replies to queries go to answer,
 * unless there is a serial line, whose terminal replies. Called on the boot CPU before
 * any guest runs.
 */
void console_start_terminal(terminal_answer *answer);

/* Reset the state of both terminals that a guest may have changed, or also clear them. */
void console_reset_terminal(void);
void console_clear_terminal(void);

/*
 * Writes a guest's bytes verbatim to the streams and the terminal. Hymir's next line
 * starts in column 0.
 */
void console_pass(const char *bytes, size_t size);

/*
 * Queue output for the serial line from now on, so that writing it does not wait; return
 * how many bytes of guests should be written now, and give the line what it accepts. The
 * caller calls console_continue at each of the line's interrupts, or about once a
 * millisecond while console_is_sending.
 */
void console_send_in_background(void);
size_t console_room(void);
void console_continue(void);
bool console_is_sending(void);

/* Waits until the serial line has what is queued now. */
void console_finish(void);

/* Redraws what changed since the last update. */
void console_update(void);

/* Waits until all output has left the machine; later output is not queued. */
void console_drain(void);

#endif
