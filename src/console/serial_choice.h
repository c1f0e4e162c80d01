/*
 * The choice of the serial port: what console= says, what firmware's tables and PCI
 * describe, and where a UART answers.
 *
 * Two steps, because Hymir prints before it has read the tables: the port that needs none
 * is used first; the log is replayed to one that is found later.
 */
#ifndef HYMIR_CONSOLE_SERIAL_CHOICE_H
#define HYMIR_CONSOLE_SERIAL_CHOICE_H

#include "lib/options.h"

#include <stdbool.h>

/* Starts the port that console= names by I/O address, by default COM1. */
void serial_choice_start(const struct options *options);

/* Returns whether the first step is the only one, as the options do not need tables. */
bool serial_choice_is_final(const struct options *options);

/*
 * Continues at the port that the options select and at which a UART answers: the one in
 * memory that they name, the first one in PCI, or by default the first one that an SPCR
 * names. Where neither that nor COM1 is present, by default a port of DBG2 or PCI. Logs
 * on the old port where output continues, and replays the log to the new one; goes back
 * to the old one if the new one does not send.
 */
void serial_choice_finish(const struct options *options);

#endif
