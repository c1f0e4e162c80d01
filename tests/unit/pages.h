/* The facts of a report, and the words on its pages. */
#ifndef HYMIR_TESTS_PAGES_H
#define HYMIR_TESTS_PAGES_H

#include "surroundings.h"

#include "report/pages.h"

static struct sheet sheet;
static struct iommus iommus;

static inline void facts_load(struct cpu_record *records, size_t count,
                              const char *verdict_text)
{
    facts = (struct report_facts){.version      = "1.2.3",
                                  .machine      = "a machine",
                                  .firmware     = "UEFI",
                                  .time         = 1764495000, /* 2025-11-30 09:30 */
                                  .ram_bytes    = UINT64_C(32) << 30,
                                  .has_acpi     = true,
                                  .iommus       = &iommus,
                                  .tsc_hz       = 2600000000,
                                  .tsc_ppm      = 12,
                                  .tsc_source   = "measured",
                                  .records      = records,
                                  .count        = count,
                                  .verdict      = VERDICT_READY,
                                  .verdict_text = verdict_text};
}

static inline bool sheet_has(const char *words)
{
    for (size_t i = 0; i < sheet.rows; i++) {
        if (strstr(sheet.row[i].text, words) != NULL)
            return true;
    }
    return false;
}

/* Returns whether any page of a section has the words. */
static inline bool section_has(enum report_section section, const char *words)
{
    for (size_t page = 0; page < report_page_count(section, &facts); page++) {
        report_compose_page(section, page, &facts, &sheet);
        assert_false(sheet.overflow);
        if (sheet_has(words))
            return true;
    }
    return false;
}

#endif
