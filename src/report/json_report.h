/*
 * The complete report as one JSON object; docs/REPORT.md describes it. Pure.
 */
#ifndef HYMIR_REPORT_JSON_REPORT_H
#define HYMIR_REPORT_JSON_REPORT_H

#include "lib/json.h"
#include "report/facts.h"

/* The schema version; increases when a key is removed or changes its meaning. */
#define JSON_REPORT_SCHEMA 3

/*
 * Write the object, without a line end: the facts alone, or followed by the rows of the
 * pages, with the key "pages", which double the size.
 */
void json_report_write(const struct report_facts *facts, json_output *output);
void json_report_write_with_pages(const struct report_facts *facts, json_output *output);

/* Writes the report as the line for scripts, "hymir-report: {...}". */
void json_report_write_line(const struct report_facts *facts, json_output *output);

#endif
