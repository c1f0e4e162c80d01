/*
 * Parses the options on the command line that the boot loader passes.
 *
 * Pure except for logging. Unknown options and invalid values are ignored with a warning
 * that lists the valid ones. If an option is repeated, the last one applies.
 * docs/OPTIONS.md describes them for users.
 */
#ifndef HYMIR_LIB_OPTIONS_H
#define HYMIR_LIB_OPTIONS_H

#include "lib/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The action when Hymir has finished, or on a panic. */
enum end_action {
    END_HALT, /* halt, with the verdict on the screen */
    END_POWEROFF,
    END_REBOOT,
};

#define SERIAL_PORT_NONE 0

struct options {
    bool screen;          /* console= has "screen" */
    bool debug_port;      /* console= has "e9" */
    uint16_t serial_port; /* its first I/O port, or SERIAL_PORT_NONE */
    enum log_level log_level;
    bool nosmp;       /* do not start the other CPUs */
    bool nolock;      /* never write IA32_FEATURE_CONTROL */
    bool stats;       /* log each guest's exit counts when it stops */
    bool large_pages; /* for guests, despite possible iTLB multihit */
    bool report_json; /* the JSON report also on the serial line */
    bool apic_timer;  /* for guests, instead of the preemption timer */
    enum end_action exit;
    enum end_action panic; /* END_HALT or END_REBOOT */
};

/* The options of an empty command line. */
extern const struct options options_default;

/*
 * Parses blank-separated words into *options, which need not be initialized. Words longer
 * than 63 characters are ignored.
 */
void options_parse(const char *command_line, struct options *options);

#endif
