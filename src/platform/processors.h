/*
 * Finds the machine's processors in the MADT and starts them: INIT to all, one wait, then
 * each with its own SIPIs.
 *
 * Owns the facts about the list; platform/smp.h owns the CPUs. The functions are called
 * once each, in this order, on the boot CPU, after machine_read_platform.
 */
#ifndef HYMIR_PLATFORM_PROCESSORS_H
#define HYMIR_PLATFORM_PROCESSORS_H

#include "lib/options.h"

#include <stdbool.h>
#include <stddef.h>

struct processors {
    bool has_list;        /* the MADT is valid; else only the boot CPU is known */
    bool has_broken_list; /* the MADT has a malformed entry; CPUs after it are unknown */
    bool cannot_start;    /* there are other CPUs, but they cannot be started */
    size_t dropped;       /* CPUs beyond Hymir's maximum or its memory */
};

/* Lists the CPUs, the boot CPU first; with options->nosmp there is no other. */
void processors_list(const struct options *options);

/* Starts all CPUs of the list; the state of each shows whether it responded. */
void processors_start(void);

const struct processors *processors_get(void);

#endif
