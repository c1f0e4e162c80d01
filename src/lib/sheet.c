/* See sheet.h. */
#include "lib/sheet.h"

#include "lib/string.h"

#include <stdarg.h>
#include <stdint.h>

#define ELLIPSIS "..."

/* Adds an empty row and returns it, or NULL if the sheet is full. */
static struct sheet_row *add_row(struct sheet *sheet, enum emphasis emphasis)
{
    if (sheet->rows == SHEET_ROWS) {
        sheet->overflow = true;
        return NULL;
    }
    struct sheet_row *row = &sheet->row[sheet->rows++];
    row->emphasis         = emphasis;
    row->text[0]          = '\0';
    return row;
}

void sheet_add(struct sheet *sheet, enum emphasis emphasis, const char *format, ...)
{
    va_list arguments;
    struct sheet_row *row = add_row(sheet, emphasis);
    if (row == NULL)
        return;
    va_start(arguments, format);
    size_t length = format_text_list(row->text, sizeof(row->text), format, arguments);
    va_end(arguments);
    if (length > SHEET_COLUMNS)
        memcpy(row->text + SHEET_COLUMNS - strlen(ELLIPSIS), ELLIPSIS, sizeof(ELLIPSIS));
}

void sheet_append_row(struct text *text, const struct sheet_row *row)
{
    static const char *const blocks[UINT8_MAX + 1] = {
        [0xDB] = "\u2588", [0xDC] = "\u2584", [0xDF] = "\u2580"};

    for (const char *next = row->text; *next != '\0'; next++) {
        const char *block = blocks[(uint8_t)*next];
        text_append(text, "%.*s", block != NULL ? 3 : 1, block != NULL ? block : next);
    }
}

size_t sheet_fitting_length(const char *text, size_t width)
{
    size_t length = strlen(text);
    if (length <= width)
        return length;
    for (size_t i = width; i > 0; i--) {
        if (text[i] == ' ')
            return i;
    }
    return width;
}

static const char *skip_blanks(const char *text)
{
    while (*text == ' ')
        text++;
    return text;
}

size_t sheet_wrapped_rows(const char *text)
{
    size_t rows = 0;
    for (; *text != '\0'; rows++)
        text = skip_blanks(text + sheet_fitting_length(text, SHEET_COLUMNS));
    return rows;
}

void sheet_add_wrapped(struct sheet *sheet, enum emphasis emphasis, size_t rows,
                       size_t indent, const char *text)
{
    for (size_t i = 0; i < rows && *text != '\0'; i++) {
        size_t margin         = i == 0 ? 0 : indent;
        size_t length         = sheet_fitting_length(text, SHEET_COLUMNS - margin);
        struct sheet_row *row = add_row(sheet, emphasis);
        if (row == NULL)
            return;
        format_text(row->text, sizeof(row->text), "%*s%.*s", (int)margin, "", (int)length,
                    text);
        text       = skip_blanks(text + length);
        size_t end = margin + length;
        if (i + 1 == rows && *text != '\0')
            memcpy(row->text + (end > SHEET_COLUMNS - 3 ? SHEET_COLUMNS - 3 : end),
                   ELLIPSIS, sizeof(ELLIPSIS));
    }
}
