/*
 * The command line that the boot loader hands over, as a struct.
 *
 * Pure but for its warnings, which go to the log. A word that is not an option, or a
 * value that makes no sense, is named in a warning that says what would, and changes
 * nothing. The last of several wins. docs/OPTIONS.md is the user's page.
 */
#ifndef HYMIR_LIB_OPTIONS_H
#define HYMIR_LIB_OPTIONS_H

#include "lib/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What Hymir does when it has nothing more to do. */
enum exit_action {
    EXIT_HALT, /* wait, with the verdict on the screen */
    EXIT_POWEROFF,
    EXIT_REBOOT,
};

/* No serial port; as a value of struct options' serial_port. */
#define SERIAL_PORT_NONE 0

struct options {
    bool screen;          /* console= has "screen" */
    bool debug_port;      /* console= has "e9" */
    uint16_t serial_port; /* its first I/O address, or SERIAL_PORT_NONE */
    enum log_level log_level;
    bool nosmp;       /* leave the other CPUs alone */
    bool nolock;      /* never write IA32_FEATURE_CONTROL */
    bool stats;       /* each guest's exits, counted, when it ends */
    bool large_pages; /* for guests, though the processor may have iTLB multihit */
    bool report_json; /* report=json: the report for machines on the serial line too */
    bool apic_timer;  /* for guests' alarms, though there is a preemption timer */
    enum exit_action exit;
    enum exit_action panic; /* EXIT_HALT or EXIT_REBOOT */
};

/* The options of an empty command line. */
extern const struct options options_default;

/*
 * Reads command_line, words separated by blanks, into *options, which need not be
 * initialised. Words beyond 63 characters are no options.
 */
void options_parse(const char *command_line, struct options *options);

#endif
