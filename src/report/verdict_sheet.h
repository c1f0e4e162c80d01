/*
 * The verdict as one screen: what machine this is, each check with its raw value, each
 * CPU, the answer. It fits on 80x25 and survives being photographed; what is cut there,
 * such as the CPUs of a large machine, is on the serial line in full. Pure.
 */
#ifndef HYMIR_REPORT_VERDICT_SHEET_H
#define HYMIR_REPORT_VERDICT_SHEET_H

#include "lib/sheet.h"
#include "report/facts.h"

/*
 * Composes the sheet. The rows of the processor and its checks are those of the first CPU
 * that answered and is not in order, or of the boot CPU; another one's number stands
 * there.
 */
void verdict_sheet_compose(const struct report_facts *facts, struct sheet *sheet);

/* The CPU whose checks tell most: the first that answered and is not in order, or 0. */
size_t verdict_sheet_telling_cpu(const struct cpu_record *records, size_t count);

#endif
