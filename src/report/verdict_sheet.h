/*
 * The verdict on one screen: the machine, each check with its raw value, each CPU, and
 * the answer. It fits on 80x25, for a photograph, and truncates, for example, the CPUs of
 * a large machine; the serial line has the full text. Pure.
 */
#ifndef HYMIR_REPORT_VERDICT_SHEET_H
#define HYMIR_REPORT_VERDICT_SHEET_H

#include "lib/sheet.h"
#include "report/facts.h"

/* Composes the sheet, with the processor and checks of verdict_sheet_find_cpu(). */
void verdict_sheet_compose(const struct report_facts *facts, struct sheet *sheet);

/* Writes the lines that scripts rely on: docs/VERDICT.md, "For scripts". */
typedef void line_writer(const char *format, ...) __attribute__((format(printf, 1, 2)));
void verdict_sheet_write_lines(const struct report_facts *facts, line_writer *write_line);

/* Returns the CPU to show: the first that answered and is not READY, otherwise 0. */
size_t verdict_sheet_find_cpu(const struct cpu_record *records, size_t count);

#endif
