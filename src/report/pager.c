/* See pager.h. */
#include "report/pager.h"

#include "lib/format.h"
#include "lib/string.h"

#include <stdarg.h>

void pager_start(struct pager *pager, struct sheet *sheet, size_t page)
{
    *pager = (struct pager){.sheet = sheet, .page = page};
    if (sheet != NULL)
        memset(sheet, 0, sizeof(*sheet));
}

void pager_start_visit(struct pager *pager, struct sheet *sheet, row_visitor *visit,
                       void *context)
{
    pager_start(pager, sheet, 0);
    pager->visit   = visit;
    pager->context = context;
}

/* Counts a row; returns whether it is to be put on the sheet. */
static bool count_row(struct pager *pager)
{
    size_t row = pager->rows++;

    if (pager->visit != NULL)
        pager->sheet->rows = 0;
    return pager->visit != NULL ||
           (pager->sheet != NULL && row / PAGER_ROWS == pager->page);
}

/* Passes the row on the sheet to the visitor, if there is one. */
static void visit_row(const struct pager *pager)
{
    if (pager->visit != NULL)
        pager->visit(&pager->sheet->row[0], pager->context);
}

void pager_add(struct pager *pager, enum emphasis emphasis, const char *format, ...)
{
    char text[2 * SHEET_COLUMNS];
    va_list arguments;

    if (!count_row(pager))
        return;
    va_start(arguments, format);
    format_text_list(text, sizeof(text), format, arguments);
    va_end(arguments);
    sheet_add(pager->sheet, emphasis, "%s", text);
    visit_row(pager);
}

void pager_add_wrapped(struct pager *pager, enum emphasis emphasis, size_t indent,
                       const char *text)
{
    size_t margin = 0;

    do {
        size_t length = sheet_fitting_length(text, SHEET_COLUMNS - margin);
        if (count_row(pager)) {
            sheet_add(pager->sheet, emphasis, "%*s%.*s", (int)margin, "", (int)length,
                      text);
            visit_row(pager);
        }
        text += length;
        while (*text == ' ')
            text++;
        margin = indent;
    } while (*text != '\0');
}

size_t pager_pages(const struct pager *pager)
{
    return pager->rows == 0 ? 1 : (pager->rows + PAGER_ROWS - 1) / PAGER_ROWS;
}
