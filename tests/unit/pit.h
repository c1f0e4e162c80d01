/*
 * An emulated 8254 of src/dev/pit.h, with a clock that a test advances.
 */
#ifndef HYMIR_TESTS_PIT_H
#define HYMIR_TESTS_PIT_H

#include "device_clock.h"
#include "ports.h"

#include "dev/pit.h"
#include "random.h"

static struct pit pit;

static void pit_start(uint64_t hz)
{
    clock_start(hz);
    start_ports(true);
    pit_init(&pit, &test_ports, &test_clock, &output_line);
}

static inline void out_both(uint16_t port, unsigned int value)
{
    port_out(port, value & 0xFF);
    port_out(port, value >> 8);
}

#endif
