/*
 * The registers of the high precision event timer.
 *
 * Intel, "IA-PC HPET (High Precision Event Timers) Specification" 1.0a, "Register Model".
 */
#ifndef HYMIR_X86_HPET_H
#define HYMIR_X86_HPET_H

#include "lib/bits.h"

#define HPET_REGISTERS_SIZE 0x400

/* After reset: Intel, I/O Controller Hub 9 data sheet, "High Precision Event Timer". */
#define HPET_USUAL_ADDRESS 0xFED00000

enum hpet_register {
    HPET_CAPABILITIES  = 0x000, /* bits 63:32: the period in femtoseconds */
    HPET_CONFIGURATION = 0x010,
    HPET_MAIN_COUNTER  = 0x0F0,
};

#define HPET_CONFIGURATION_ENABLE BIT(0)

/* The longest period that the specification allows: 100 ns. */
#define HPET_PERIOD_MAX_FS 0x05F5E100U

#endif
