/*
 * Where a report is: UEFI variables in Linux's efivarfs, RAM in Linux's pstore or
 * /dev/mem, or a file.
 */
#ifndef HYMIR_TOOLS_REPORT_SOURCES_H
#define HYMIR_TOOLS_REPORT_SOURCES_H

#include "stored.h"

#define SOURCES_EFIVARS "/sys/firmware/efi/efivars"

/*
 * Each reads a report, to be freed. Returns NULL, or why there is none: a text for people
 * of fewer than SOURCES_PROBLEM_SIZE characters that is valid until the next call.
 */
#define SOURCES_PROBLEM_SIZE 512
const char *source_read_variables(const char *efivars, struct report *report);
const char *source_read_pstore(struct report *report);
const char *source_read_memory(struct report *report);
const char *source_read_file(const char *path, struct report *report); /* "-": input */

/*
 * Deletes the variables. Sets *count to how many there were. Returns NULL or what failed.
 */
const char *source_clear_variables(const char *efivars, size_t *count);

#endif
