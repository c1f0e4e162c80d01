/*
 * The machine's processors: found in firmware's list, started one after the other.
 *
 * Beside platform/machine.h the code that sees both firmware/ and cpu/. Owns what is
 * known of the list; the CPUs themselves are platform/smp.h's. Called once each, in this
 * order, on the boot CPU, after machine_read_platform.
 */
#ifndef HYMIR_PLATFORM_PROCESSORS_H
#define HYMIR_PLATFORM_PROCESSORS_H

#include "lib/options.h"

#include <stdbool.h>
#include <stddef.h>

struct processors {
    bool has_list;        /* ACPI names the CPUs; else the boot CPU alone is known */
    bool has_broken_list; /* and names only those in front of a broken entry */
    bool cannot_start;    /* there are other CPUs, and no way to start them */
    size_t dropped;       /* more than Hymir supports, or has memory for */
};

/* Lists the CPUs, the boot CPU first; with options->nosmp there is no other. */
void processors_list(const struct options *options);

/* Starts all CPUs of the list. Which answered, their state tells. */
void processors_start(void);

const struct processors *processors_get(void);

#endif
