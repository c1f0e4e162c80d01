/*
 * Joins and decompresses a report that Hymir stored in UEFI variables:
 * src/firmware/efi_report.h. Nothing in them is trusted.
 */
#ifndef HYMIR_TOOLS_REPORT_STORED_H
#define HYMIR_TOOLS_REPORT_STORED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest report accepted, in bytes. */
#define REPORT_MOST (1 << 20)

/* A report as text, allocated by malloc, followed by a NUL that size does not count. */
struct report {
    char *text;
    size_t size;
};

/*
 * Reads a variable of at most capacity bytes. Returns its size, above capacity if it is
 * larger, or -1 if it does not exist or cannot be read.
 */
typedef long variable_reader(void *context, const char *name, uint8_t *bytes,
                             size_t capacity);

/* The result of stored_read, other than a report. */
enum stored_problem {
    STORED_OK,
    STORED_NONE,       /* no header */
    STORED_INCOMPLETE, /* parts without a header: Hymir was interrupted */
    STORED_DAMAGED,
    STORED_UNKNOWN, /* the format of another version of Hymir */
};

/* Reads the report; it is set, and to be freed, only if STORED_OK is returned. */
enum stored_problem stored_read(variable_reader *read, void *context,
                                struct report *report);

#endif
