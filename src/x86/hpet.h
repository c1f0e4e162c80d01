/*
 * The registers of the high precision event timer.
 *
 * Intel, "IA-PC HPET (High Precision Event Timers) Specification" 1.0a, "Register Model".
 */
#ifndef HYMIR_X86_HPET_H
#define HYMIR_X86_HPET_H

#include "lib/bits.h"

#include <stdbool.h>
#include <stdint.h>

#define HPET_REGISTERS_SIZE 0x400

/* After reset: Intel, I/O Controller Hub 9 data sheet, "High Precision Event Timer". */
#define HPET_USUAL_ADDRESS 0xFED00000

enum hpet_register {
    HPET_CAPABILITIES  = 0x000, /* bits 63:32: the period in femtoseconds */
    HPET_CONFIGURATION = 0x010,
    HPET_STATUS        = 0x020, /* interrupts of level mode; ones clear */
    HPET_MAIN_COUNTER  = 0x0F0,
    HPET_TIMER         = 0x100, /* the configuration of the first timer */
};

#define HPET_CAPABILITIES_LAST_TIMER(value) ((uint32_t)BITS_GET(value, 12, 8))
#define HPET_CONFIGURATION_ENABLE           BIT(0)
#define HPET_CONFIGURATION_LEGACY           BIT(1) /* replaces the 8254 and the RTC */
#define HPET_TIMERS_MAX                     24U    /* in HPET_REGISTERS_SIZE */
#define HPET_TIMER_SIZE                     0x20U
#define HPET_TIMER_INTERRUPT                BIT(2)
#define HPET_TIMER_FSB                      BIT(14) /* message-signalled */

/* The longest period that the specification allows: 100 ns. */
#define HPET_PERIOD_MAX_FS 0x05F5E100U

/* Returns whether the period, in femtoseconds, is one of an HPET. */
static inline bool hpet_period_is_valid(uint32_t period_fs)
{
    return period_fs != 0 && period_fs <= HPET_PERIOD_MAX_FS;
}

#endif
