/*
 * The section of the report that says what can run here: hypervisors with what they miss,
 * what surrounds VT-x, and each requirement with its source.
 */
#ifndef HYMIR_REPORT_HYPERVISOR_PAGE_H
#define HYMIR_REPORT_HYPERVISOR_PAGE_H

#include "report/facts.h"
#include "report/pager.h"

/* Adds the rows. On one CPU at a time. */
void hypervisor_page_add(struct pager *pager, const struct report_facts *facts);

#endif
