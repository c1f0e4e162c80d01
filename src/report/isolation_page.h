/*
 * The known issues of the processors, and what Hymir does about each, for the section of
 * the CPUs and the JSON. Pure.
 */
#ifndef HYMIR_REPORT_ISOLATION_PAGE_H
#define HYMIR_REPORT_ISOLATION_PAGE_H

#include "lib/json.h"
#include "report/facts.h"
#include "report/pager.h"

/* Adds rows for the first CPU of each set of identical CPUs. */
void isolation_page_add(struct pager *pager, const struct report_facts *facts);

/* Writes the members of the JSON's object "isolation". */
void isolation_page_write(struct json *json, const struct report_facts *facts);

#endif
