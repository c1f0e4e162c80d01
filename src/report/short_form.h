/*
 * The report as a short text for a QR code: verdict, CPU, and the raw values of the
 * registers from which tools/decode reconstructs the rest.
 *
 *      HYMIR2:TECHNOLOGY:WORD:BRAND:NUMBERS
 *
 * docs/REPORT.md, "The short form", describes how the numbers are packed. They are those
 * of the CPU that the verdict's sheet shows (verdict_sheet.h), in the rows of its struct
 * virtualization. Pure.
 */
#ifndef HYMIR_REPORT_SHORT_FORM_H
#define HYMIR_REPORT_SHORT_FORM_H

#include "report/facts.h"
#include "report/qr_code.h"

#include <stdbool.h>

#define SHORT_FORM_SIZE (QR_CODE_MAX_TEXT + 1)

/*
 * Writes the text, with as much of the brand as fits. Returns false, with an empty text,
 * if the numbers do not fit; no known processor exceeds the limit.
 */
bool short_form_write(const struct report_facts *facts, char text[SHORT_FORM_SIZE]);

#endif
