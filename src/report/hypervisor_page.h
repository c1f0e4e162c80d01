/*
 * The section of the report on what can run here: hypervisors with their missing
 * requirements, what surrounds VT-x, and each requirement with its source.
 */
#ifndef HYMIR_REPORT_HYPERVISOR_PAGE_H
#define HYMIR_REPORT_HYPERVISOR_PAGE_H

#include "report/facts.h"
#include "report/pager.h"

/* Adds the rows. Not reentrant: one CPU at a time. */
void hypervisor_page_add(struct pager *pager, const struct report_facts *facts);

#endif
