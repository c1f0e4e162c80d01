/*
 * Parses the options on the command line that the boot loader passes.
 *
 * Pure except for logging. Unknown options and invalid values are ignored with a warning
 * that lists the valid ones. If an option is repeated, the last one applies.
 * docs/OPTIONS.md describes them for users.
 *
 * Some boot loaders, such as kexec, pass the name of Hymir's file as the first word. A
 * first word with a slash or a dot before any "=" is a file's name, as no option has one.
 */
#ifndef HYMIR_LIB_OPTIONS_H
#define HYMIR_LIB_OPTIONS_H

#include "lib/log.h"
#include "lib/serial_port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The action when Hymir has finished, or on a panic. */
enum end_action {
    END_HALT, /* halt, with the verdict on the screen */
    END_POWEROFF,
    END_REBOOT,
};

/* The serial port that console= selects. */
enum serial_choice {
    SERIAL_NONE,
    SERIAL_DEFAULT, /* SPCR's, otherwise COM1, otherwise DBG2's or PCI's */
    SERIAL_PCI,     /* the first one in PCI */
    SERIAL_PORT,    /* serial_port */
};

/* Measures against known issues of processors: docs/SECURITY.md. */
enum mitigations {
    MITIGATIONS_AUTO,
    MITIGATIONS_OFF, /* only those that have no option, or one of their own */
    MITIGATIONS_ALL, /* also those that cost more than most uses justify */
};

struct options {
    bool screen;     /* console= has "screen" */
    bool debug_port; /* console= has "e9" */
    enum serial_choice serial;
    struct serial_port serial_port;
    enum log_level log_level;
    bool nosmp;       /* do not start the other CPUs */
    bool nolock;      /* never write IA32_FEATURE_CONTROL */
    bool stats;       /* log each guest's exit counts when it stops */
    bool large_pages; /* for guests, despite possible iTLB multihit */
    enum mitigations mitigations;
    bool nocet;                /* no shadow stacks for Hymir */
    bool smt_share;            /* guests may share cores, whatever the processor */
    bool report_json;          /* the JSON report also on the serial line, */
    bool report_efi;           /* in UEFI variables, */
    bool report_ram;           /* in RAM: lib/ram_report.h */
    bool apic_timer;           /* for guests, instead of the preemption timer */
    unsigned int page;         /* the section of the report to show, from 1; 0: all */
    unsigned int page_seconds; /* until its pages turn by themselves; 0: never */
    uint64_t rsdp, smbios;     /* physical addresses of firmware's tables; 0: unknown */
    enum end_action exit;
    enum end_action panic; /* END_HALT or END_REBOOT */
};

/* The sections of the report, whose first has number 1, by their names in page=. */
#define OPTIONS_PAGES 7
extern const char *const options_pages[OPTIONS_PAGES];

/* The options of an empty command line. */
extern const struct options options_default;

/*
 * Parses blank-separated words into *options, which need not be initialized. Words longer
 * than 63 characters are ignored.
 */
void options_parse(const char *command_line, struct options *options);

#endif
