/*
 * Input from the serial port and the PS/2 keyboard, by interrupts and by polling.
 */
#ifndef HYMIR_RUNNER_INPUT_H
#define HYMIR_RUNNER_INPUT_H

#include "lib/options.h"
#include "report/key_hint.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Handles a byte of input: a character, or part of what a key sends
 * (platform/scan_code.h). On the boot CPU, with interrupts disabled.
 */
typedef void input_handler(uint8_t byte);

/*
 * Sends output in the background if serve is not NULL: calls it when the serial line
 * accepts more, and for VECTOR_CONSOLE. Passes input from the devices that the options
 * select to handler, while the boot CPU handles interrupts. Interrupts make it fast, but
 * are not relied on: every 20 ms, with guests and without, the boot CPU looks for input
 * and output itself, and every millisecond for output whose interrupts do not arrive. May
 * be called again.
 */
void input_start(const struct options *options, input_handler *handler,
                 void (*serve)(void));

/* Stops looking until the next input_start. */
void input_stop_polling(void);

/*
 * Waits on the boot CPU until an interrupt was handled, and at most until the next look:
 * a lost wake-up interrupt costs no more. Without a local APIC, waits and looks itself.
 */
void input_wait(void);

/* Returns what can be typed at, as far as it is known. */
const struct key_sources *input_sources(void);

#endif
