/*
 * Rows that are more than a screen, cut into pages: they are made anew for each page, and
 * those of the page that is wanted are kept.
 *
 * A page has a title above its rows, and the last two rows of the screen free: terminals
 * often have one row less. Pure.
 */
#ifndef HYMIR_REPORT_PAGER_H
#define HYMIR_REPORT_PAGER_H

#include "lib/sheet.h"

#include <stddef.h>

#define PAGER_ROWS (SHEET_ROWS - 3) /* of a page */

struct pager {
    struct sheet *sheet; /* NULL: the rows are only counted */
    size_t page;         /* that is wanted, from 0 */
    size_t rows;         /* that have come */
};

/* Starts with an empty sheet, or NULL, whose title comes by sheet_add. */
void pager_start(struct pager *pager, struct sheet *sheet, size_t page);

/* Adds a row; one of more than 80 columns is cut, and ends in "...". */
void pager_add(struct pager *pager, enum emphasis emphasis, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Adds as many rows as the text needs, broken at blanks, all but the first indented by so
 * many columns, below 40.
 */
void pager_add_wrapped(struct pager *pager, enum emphasis emphasis, size_t indent,
                       const char *text);

/* How many pages there are, at least one. */
size_t pager_pages(const struct pager *pager);

#endif
