/*
 * Where a report is: UEFI variables in Linux's efivarfs, RAM in Linux's pstore or
 * /dev/mem, or a file.
 */
#ifndef HYMIR_TOOLS_REPORT_SOURCES_H
#define HYMIR_TOOLS_REPORT_SOURCES_H

#include "stored.h"

#define SOURCES_EFIVARS "/sys/firmware/efi/efivars"
#define SOURCES_PSTORE  "/sys/fs/pstore/console-ramoops-0"
#define SOURCES_MEMORY  "/dev/mem"

/*
 * Each reads a report, to be freed. Returns NULL, or why there is none: a text for people
 * of fewer than SOURCES_PROBLEM_SIZE characters that is valid until the next call.
 */
#define SOURCES_PROBLEM_SIZE 512
typedef const char *source_reader(const char *path, struct report *report);
source_reader source_read_variables; /* the path of efivarfs */
source_reader source_read_memory;    /* that of /dev/mem */
source_reader source_read_file;      /* any other; "-": standard input */

/* A place where a report may be. */
struct source {
    source_reader *read;
    const char *path;
    char problem[SOURCES_PROBLEM_SIZE]; /* why it has none; "": it has one */
};

/*
 * Reads the newest report of all places, by the time in it; of reports with the same time
 * the first. Sets the problem of each place. Returns false if there is none.
 */
bool source_read_newest(struct source *sources, size_t count, struct report *report);

/*
 * Deletes the variables. Sets *count to how many there were. Returns NULL or what failed.
 */
const char *source_clear_variables(const char *efivars, size_t *count);

#endif
