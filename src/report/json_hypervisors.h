/*
 * The hypervisors in the JSON report, with what each requires. Pure.
 */
#ifndef HYMIR_REPORT_JSON_HYPERVISORS_H
#define HYMIR_REPORT_JSON_HYPERVISORS_H

#include "lib/json.h"
#include "report/facts.h"

/* Writes an object for each hypervisor, into an open array. */
void json_hypervisors_write(struct json *json, const struct report_facts *facts);

#endif
