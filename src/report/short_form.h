/*
 * The report in one short text, for a QR code: verdict, CPU, and the raw values of the
 * registers that the rest of it can be made from again: tools/decode does.
 *
 *      HYMIR1:WORD:BRAND:NUMBERS
 *
 * docs/REPORT.md, "The short form", has how the numbers are packed. Of the CPU whose
 * checks the verdict's sheet shows: the boot CPU's, or the first's that is not in order.
 * Pure.
 */
#ifndef HYMIR_REPORT_SHORT_FORM_H
#define HYMIR_REPORT_SHORT_FORM_H

#include "report/facts.h"
#include "report/qr_code.h"

#include <stdbool.h>

#define SHORT_FORM_SIZE (QR_CODE_MAX_TEXT + 1)

/*
 * Writes the text, with as much of the brand as there is room for. False, with an empty
 * text, if there is none for the numbers: no processor's registers are that wild.
 */
bool short_form_write(const struct report_facts *facts, char text[SHORT_FORM_SIZE]);

#endif
