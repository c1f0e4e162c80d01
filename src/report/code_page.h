/*
 * The last page: the short form as a QR code, for machines without a serial port. Pure.
 */
#ifndef HYMIR_REPORT_CODE_PAGE_H
#define HYMIR_REPORT_CODE_PAGE_H

#include "lib/sheet.h"
#include "report/facts.h"

/*
 * Composes the page. A character of code page 437 shows two modules, one above the other;
 * light ones are drawn. It may fill all rows, but leaves the last one free from column
 * CODE_PAGE_TEXT_COLUMN on.
 */
void code_page_compose(const struct report_facts *facts, struct sheet *sheet);

#define CODE_PAGE_TEXT_COLUMN 51

#endif
