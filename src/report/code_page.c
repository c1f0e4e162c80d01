/* See code_page.h. */
#include "report/code_page.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "report/qr_code.h"
#include "report/short_form.h"

/* ISO/IEC 18004, "Quiet zone": light modules around the code. */
#define QUIET_ZONE 4

/* Blocks of code page 437, by the dark modules: bit 0 the upper one, bit 1 the lower. */
static const char blocks[] = {'\xDB', '\xDC', '\xDF', ' '};

static const char *const explanation[] = {
    "",
    "Scan this with a phone:",
    "verdict, CPU and the raw",
    "values of its registers.",
    "",
    "On a PC, in Hymir's sources,",
    "tools/decode TEXT",
    "shows the report.",
};

static void add_code(const struct qr_code *code, struct sheet *sheet)
{
    int width = (int)code->size + 2 * QUIET_ZONE;
    int rows  = (width + 1) / 2;

    for (int row = 0; row < rows && row < SHEET_ROWS; row++) {
        char modules[SHEET_COLUMNS + 1];
        int upper = 2 * row - QUIET_ZONE;
        for (int column = 0; column < width; column++)
            modules[column] =
                blocks[qr_code_is_dark(code, upper, column - QUIET_ZONE) +
                       2 * qr_code_is_dark(code, upper + 1, column - QUIET_ZONE)];
        modules[width]   = '\0';
        const char *text = row < (int)ARRAY_SIZE(explanation) ? explanation[row] : "";
        sheet_add(sheet, EMPHASIS_TITLE, "%s%*s%s", modules,
                  CODE_PAGE_TEXT_COLUMN - width, "", text);
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
        sheet_add(sheet, EMPHASIS_BAD,
                  "This processor's registers do not fit in a QR code; use report=json.");
}
