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

/*
 * A deliberate fault of Hymir's own, by which the tests and its users see how it fails.
 */
enum selftest {
    SELFTEST_NONE,
    SELFTEST_FAULT,          /* an undefined instruction in VMX root operation */
    SELFTEST_NULL,           /* a read of page 0, which is not mapped */
    SELFTEST_WRITE_TEXT,     /* a write to Hymir's own code */
    SELFTEST_EXECUTE_DATA,   /* a jump into Hymir's own data */
    SELFTEST_STACK_OVERFLOW, /* recursion into the guard page */
    SELFTEST_HANG,           /* a CPU that never comes back */
    SELFTEST_ABSENT_CPU,     /* a CPU in the list that the machine does not have */
    SELFTEST_MEMORY,         /* all memory is allocated and written over */

    /* In the place of firmware's service: runner/boot_next.c. */
    SELFTEST_FIRMWARE_HANG,
    SELFTEST_FIRMWARE_FAULT,

    /* The first guest's VM entry is made to fail: vmx/vcpu_faults.c. */
    SELFTEST_ENTRY_CONTROL,
    SELFTEST_ENTRY_HOST,
    SELFTEST_ENTRY_GUEST,
    SELFTEST_ENTRY_MSR_LOAD,
    SELFTEST_ENTRY_REVISION,
    SELFTEST_ENTRY_LAUNCH_TWICE,
    SELFTEST_ENTRY_RESUME_FIRST,
    SELFTEST_EXIT, /* its first VMCALL ends in an undefined instruction of Hymir's */
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
    enum selftest selftest;
    uint32_t selftest_cpu; /* the index of the CPU that does it */
};

/* The options of an empty command line. */
extern const struct options options_default;

/*
 * Reads command_line, words separated by blanks, into *options, which need not be
 * initialised. Words beyond 63 characters are no options.
 */
void options_parse(const char *command_line, struct options *options);

#endif
