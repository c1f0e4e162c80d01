/*
 * The whole report for machines, as one JSON object: docs/REPORT.md has its schema. Pure.
 */
#ifndef HYMIR_REPORT_JSON_REPORT_H
#define HYMIR_REPORT_JSON_REPORT_H

#include "lib/json.h"
#include "report/facts.h"

/* Of the schema; a key that goes, or means something else, makes it a new one. */
#define JSON_REPORT_SCHEMA 1

/* Writes the object, without a line end. */
void json_report_write(const struct report_facts *facts, json_output *output);

/* Writes the report as the line that scripts look for, "hymir-report: {...}". */
void json_report_write_line(const struct report_facts *facts, json_output *output);

#endif
