/*
 * A terminal under test, with its screen as text.
 */
#ifndef HYMIR_TESTS_TERMINAL_H
#define HYMIR_TESTS_TERMINAL_H

#include "unit.h"

#include "terminal/terminal.h"

static struct terminal terminal;
static struct terminal_cell terminal_cells[TERMINAL_MAX_COLUMNS * TERMINAL_MAX_ROWS];
static char answers[256];
static size_t answers_length;

static inline void note_answer(void *context, const char *bytes, size_t size)
{
    assert_ptr_equal(context, answers);
    assert_true(size > 0);
    size_t room = sizeof(answers) - 1 - answers_length;
    size        = size < room ? size : room;
    memcpy(answers + answers_length, bytes, size);
    answers_length += size;
    answers[answers_length] = '\0';
}

static inline void start_terminal(uint16_t columns, uint16_t rows)
{
    memset(terminal_cells, 0xEE, sizeof(terminal_cells));
    answers_length = 0;
    answers[0]     = '\0';
    terminal_init(&terminal, terminal_cells, columns, rows);
    terminal_set_answer(&terminal, note_answer, answers);
}

/* Writes a string literal, which may contain NULs. */
#define WRITE(text) terminal_write(&terminal, text, sizeof(text) - 1)

static inline char *append_utf8(char *end, uint16_t character)
{
    if (character < 0x80) {
        *end++ = (char)character;
    } else if (character < 0x800) {
        *end++ = (char)(0xC0 | character >> 6);
        *end++ = (char)(0x80 | (character & 0x3F));
    } else {
        *end++ = (char)(0xE0 | character >> 12);
        *end++ = (char)(0x80 | (character >> 6 & 0x3F));
        *end++ = (char)(0x80 | (character & 0x3F));
    }
    return end;
}

/* Returns the rows without trailing blanks, separated by bars, in a static buffer. */
static inline const char *screen_text(const struct terminal *shown)
{
    static char text[TERMINAL_MAX_ROWS * (TERMINAL_MAX_COLUMNS * 3 + 1) + 1];
    char *end = text;

    for (uint16_t row = 0; row < shown->rows; row++) {
        const struct terminal_cell *cells = terminal_row(shown, row);
        uint16_t length                   = shown->columns;
        while (length > 0 && cells[length - 1].character == ' ')
            length--;
        for (uint16_t column = 0; column < length; column++)
            end = append_utf8(end, cells[column].character);
        *end++ = '|';
    }
    *end = '\0';
    return text;
}

static inline void assert_screen(const char *expected)
{
    assert_string_equal(screen_text(&terminal), expected);
}

/* Rows and columns start at 1, as in control sequences. */
static inline void assert_cursor(uint16_t row, uint16_t column)
{
    assert_int_equal(terminal.cursor.row + 1, row);
    assert_int_equal(terminal.cursor.column + 1, column);
}

/* Asserts the colours of a cell; rows and columns start at 1. */
static inline void assert_colors(uint16_t row, uint16_t column, uint8_t foreground,
                                 uint8_t background)
{
    const struct terminal_cell *cell = terminal_row(&terminal, row - 1) + column - 1;
    assert_int_equal(cell->foreground, foreground);
    assert_int_equal(cell->background, background);
}

#endif
