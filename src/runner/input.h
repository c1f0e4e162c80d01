/*
 * What a person types, at the serial line and at the PS/2 keyboard.
 *
 * Beside runner/guests.c and main.c, because it brings the machine's interrupts,
 * firmware's tables and the console together.
 */
#ifndef HYMIR_RUNNER_INPUT_H
#define HYMIR_RUNNER_INPUT_H

#include "lib/options.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Gets a byte that was typed: a character, or one of those that a key sends, as
 * platform/scan_code.h has them. On the boot CPU, with interrupts off.
 */
typedef void input_typed(uint8_t byte);

/*
 * Has typed called for what arrives at the sinks that the options name, whenever the boot
 * CPU takes interrupts. Where an interrupt cannot be brought there, the local APIC's
 * timer has the boot CPU look every 20 ms instead, if may_use_timer. May be called again.
 */
void input_start(const struct options *options, input_typed *typed, bool may_use_timer);

#endif
