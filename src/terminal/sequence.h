/*
 * What a terminal does at the end of an escape or control sequence: lib/terminal*.c only.
 *
 * Pure; the state is the caller's struct terminal.
 */
#ifndef HYMIR_TERMINAL_SEQUENCE_H
#define HYMIR_TERMINAL_SEQUENCE_H

#include "terminal/terminal.h"

/*
 * Does what the control sequence in terminal->sequence says, with its last byte, 0x40 to
 * 0x7E; one that is not known is nothing.
 */
void terminal_run_sequence(struct terminal *terminal, uint8_t last);

/*
 * The same for an escape sequence of ESC, perhaps intermediate bytes, and last, 0x30 to
 * 0x7E; not for those that begin something longer.
 */
void terminal_run_escape(struct terminal *terminal, uint8_t last);

#endif
