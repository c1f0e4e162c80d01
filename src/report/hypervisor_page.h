/*
 * The section of the report on hypervisors: which can run here and what they lack, the
 * platform features besides virtualization, and each requirement with its source.
 */
#ifndef HYMIR_REPORT_HYPERVISOR_PAGE_H
#define HYMIR_REPORT_HYPERVISOR_PAGE_H

#include "report/facts.h"
#include "report/pager.h"

/* Adds the rows. Not reentrant: one CPU at a time. */
void hypervisor_page_add(struct pager *pager, const struct report_facts *facts);

#endif
