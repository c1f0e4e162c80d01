/*
 * Shows a JSON report of Hymir as text: the pages that its screen shows, then the
 * verdict. Nothing in the report is trusted.
 */
#ifndef HYMIR_TOOLS_REPORT_SHOW_H
#define HYMIR_TOOLS_REPORT_SHOW_H

#include "stored.h"

#include <stdio.h>

/* The exit status of the program. */
enum report_status {
    REPORT_WORKS    = 0, /* the verdict is READY */
    REPORT_DOES_NOT = 1, /* any other verdict */
    REPORT_NONE     = 2, /* no report, or none that can be read */
};

#define SHOW_NO_JSON "neither JSON nor a line hymir-report: of a serial log"

/*
 * Finds the JSON in a text: all of it, or the last line "hymir-report: {...}" of a serial
 * log. Returns false if there is neither; the result is a part of the text.
 */
bool show_find_json(const struct report *text, const char **json, size_t *size);

/*
 * Copies the time in a report, or "" if it has none. Returns NULL, or what is wrong with
 * the report.
 */
#define SHOW_TIME_SIZE sizeof("2026-11-30 09:30:00")
const char *show_time(const struct report *report, char time[SHOW_TIME_SIZE]);

/*
 * Writes the time, the pages and the verdict to out, or nothing if out is NULL. Returns
 * the status; for REPORT_NONE, *problem is what is wrong with the report.
 */
enum report_status show_report(const char *json, size_t size, FILE *out,
                               const char **problem);

#endif
