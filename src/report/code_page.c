/* See code_page.h. */
#include "report/code_page.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "report/qr_code.h"
#include "report/short_form.h"

/* ISO/IEC 18004, "Quiet zone": light modules around the code. */
#define QUIET 4

/* Of code page 437, by which of two modules are dark: the upper 1, the lower 2. */
static const char halves[] = {'\xDB', '\xDC', '\xDF', ' '};

static const char *const explanation[] = {
    "",
    "Take this away with a phone:",
    "verdict, CPU and the raw",
    "values of its VMX MSRs.",
    "",
    "On a PC, in Hymir's sources,",
    "tools/decode TEXT",
    "shows the report again.",
};

/* What stands beside a row of the code. */
static const char *text_beside(size_t row)
{
    return row < ARRAY_SIZE(explanation) ? explanation[row] : "";
}

static void add_code(const struct qr_code *code, struct sheet *sheet)
{
    int width = (int)code->size + 2 * QUIET;
    int rows  = (width + 1) / 2;

    for (int row = 0; row < rows && row < SHEET_ROWS; row++) {
        char modules[SHEET_COLUMNS + 1];
        for (int column = 0; column < width; column++) {
            int upper       = 2 * row - QUIET;
            bool is_upper   = qr_code_is_dark(code, upper, column - QUIET);
            bool is_lower   = qr_code_is_dark(code, upper + 1, column - QUIET);
            modules[column] = halves[(is_upper ? 1 : 0) | (is_lower ? 2 : 0)];
        }
        modules[width] = '\0';
        sheet_add(sheet, EMPHASIS_TITLE, "%s%*s%s", modules,
                  CODE_PAGE_TEXT_COLUMN - width, "", text_beside((size_t)row));
    }
}

void code_page_compose(const struct report_facts *facts, struct sheet *sheet)
{
    char text[SHORT_FORM_SIZE];
    struct qr_code code;

    memset(sheet, 0, sizeof(*sheet));
    if (short_form_write(facts, text) && qr_code_make(text, &code))
        add_code(&code, sheet);
    else
        sheet_add(
            sheet, EMPHASIS_BAD,
            "The registers of this processor do not fit into a code: use report=json.");
}
