/*
 * The machine's real-time clock, an MC146818.
 *
 * Motorola MC146818 data sheet; the century is in the usual byte of PCs.
 */
#ifndef HYMIR_PLATFORM_WALL_CLOCK_H
#define HYMIR_PLATFORM_WALL_CLOCK_H

#include "lib/status.h"

#include <stdint.h>

/*
 * Reads the seconds since 1970-01-01 00:00:00, in the clock's time zone. On the boot CPU.
 * STATUS_TIMEOUT if no two readings agree within a second, STATUS_OUT_OF_RANGE if the
 * time is invalid.
 */
enum status MUST_CHECK wall_clock_read(uint64_t *seconds);

#endif
