/*
 * Divides rows into pages, or visits each. All rows are regenerated for each page; only
 * those of the requested page are kept.
 *
 * A page has a title above its rows and leaves the last two rows of the screen free, as
 * many terminals have only 24. Pure.
 */
#ifndef HYMIR_REPORT_PAGER_H
#define HYMIR_REPORT_PAGER_H

#include "lib/sheet.h"

#include <stddef.h>

#define PAGER_ROWS (SHEET_ROWS - 3) /* in a page */

/* Receives a row. */
typedef void row_visitor(const struct sheet_row *row, void *context);

struct pager {
    struct sheet *sheet; /* NULL: the rows are only counted */
    size_t page;         /* the requested one, from 0 */
    size_t rows;         /* added so far */
    row_visitor *visit;  /* NULL, or called for all rows instead of keeping them */
    void *context;       /* for visit */
};

/* Starts with a sheet, which it clears, or NULL. The caller adds the title to it. */
void pager_start(struct pager *pager, struct sheet *sheet, size_t page);

/* Starts with a visitor of all rows, of whatever page, and a sheet for one row. */
void pager_start_visit(struct pager *pager, struct sheet *sheet, row_visitor *visit,
                       void *context);

/* Adds a row; more than 80 columns are truncated with "...". */
void pager_add(struct pager *pager, enum emphasis emphasis, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Adds text wrapped at blanks; rows after the first are indented by indent columns, fewer
 * than 40.
 */
void pager_add_wrapped(struct pager *pager, enum emphasis emphasis, size_t indent,
                       const char *text);

/* Returns the number of pages, at least one. */
size_t pager_pages(const struct pager *pager);

#endif
