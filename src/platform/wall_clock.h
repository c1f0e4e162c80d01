/*
 * The machine's clock of the day: an MC146818, read once.
 *
 * Motorola MC146818 data sheet; the century's byte is where PCs have it.
 */
#ifndef HYMIR_PLATFORM_WALL_CLOCK_H
#define HYMIR_PLATFORM_WALL_CLOCK_H

#include "lib/status.h"

#include <stdint.h>

/*
 * *seconds since 1970-01-01 00:00:00, in the clock's own time zone. On the boot CPU.
 * STATUS_TIMEOUT if it does not stand still within a second, STATUS_OUT_OF_RANGE if what
 * it says is no time; *seconds is then as it was.
 */
enum status MUST_CHECK wall_clock_read(uint64_t *seconds);

#endif
