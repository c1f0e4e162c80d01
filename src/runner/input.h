/*
 * Input from the serial port and the PS/2 keyboard, by interrupt or by polling.
 */
#ifndef HYMIR_RUNNER_INPUT_H
#define HYMIR_RUNNER_INPUT_H

#include "lib/options.h"

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
 * select to handler, while the boot CPU handles interrupts. If a device's interrupt
 * cannot be routed to the boot CPU and may_use_timer, the local APIC's timer polls every
 * 20 ms, every millisecond for output; without that timer there is no input, and sending
 * waits. May be called again.
 */
void input_start(const struct options *options, input_handler *handler,
                 void (*serve)(void), bool may_use_timer);

#endif
