/*
 * The report as a person reads it: sections, each of one page or more, the verdict first.
 *
 * Pure, but for the section of the log, which shows what the log has.
 */
#ifndef HYMIR_REPORT_PAGES_H
#define HYMIR_REPORT_PAGES_H

#include "lib/sheet.h"
#include "report/facts.h"

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

/* One word for it. */
const char *report_section_name(enum report_section section);

/* How many pages it has, at least one. */
size_t report_page_count(enum report_section section, const struct report_facts *facts);

/*
 * Composes a page, from 0 on, below the count. But for the verdict, which may need all of
 * the screen, and the code, the last two rows stay free.
 */
void report_compose_page(enum report_section section, size_t page,
                         const struct report_facts *facts, struct sheet *sheet);

#endif
