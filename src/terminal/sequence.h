/*
 * Executes complete escape and control sequences; internal to terminal/.
 *
 * Pure; the state is the caller's struct terminal.
 */
#ifndef HYMIR_TERMINAL_SEQUENCE_H
#define HYMIR_TERMINAL_SEQUENCE_H

#include "terminal/terminal.h"

/* Executes the control sequence in terminal->sequence. Unknown ones are ignored. */
void terminal_run_sequence(struct terminal *terminal);

/*
 * Executes an escape sequence: ESC, the intermediate byte in terminal->sequence, if any,
 * and last, 0x30 to 0x7E. Not for introducers of control sequences and strings.
 */
void terminal_run_escape(struct terminal *terminal, uint8_t last);

#endif
