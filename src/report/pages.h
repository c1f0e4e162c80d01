/*
 * The report as pages for the screen: sections, each of one page or more, the verdict
 * first.
 *
 * Pure, except that the section of the log reads the log.
 */
#ifndef HYMIR_REPORT_PAGES_H
#define HYMIR_REPORT_PAGES_H

#include "lib/sheet.h"
#include "report/facts.h"
#include "report/pager.h"

#include <stddef.h>

enum report_section {
    REPORT_VERDICT,
    REPORT_CAPABILITIES,
    REPORT_CPUS,
    REPORT_HYPERVISORS,
    REPORT_TIMINGS,
    REPORT_LOG,
    REPORT_CODE,
    REPORT_SECTIONS,
};

/* Returns a one-word title. */
const char *report_section_name(enum report_section section);

/* Returns the number of pages, at least one. */
size_t report_page_count(enum report_section section, const struct report_facts *facts);

/*
 * Composes a page, numbered from 0. The last two rows stay free, except in the verdict
 * and the code, which may need the whole screen.
 */
void report_compose_page(enum report_section section, size_t page,
                         const struct report_facts *facts, struct sheet *sheet);

/* Visits the rows of all pages of a section, without titles. Not for several CPUs. */
void report_visit_rows(enum report_section section, const struct report_facts *facts,
                       row_visitor *visit, void *context);

#endif
