/* See screen.h. */
#include "console/screen.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "terminal/terminal.h"

/* SGR parameters: default, bright white, green, red and yellow, dark grey. */
static const uint8_t colors[] = {
    [EMPHASIS_NORMAL] = 0, [EMPHASIS_TITLE] = 97,   [EMPHASIS_GOOD] = 92,
    [EMPHASIS_BAD] = 91,   [EMPHASIS_CAUTION] = 93, [EMPHASIS_FAINT] = 90,
};

#define HIDE_CURSOR "\x1B[?25l"
#define SHOW_CURSOR "\x1B[?25h"
#define RESET       "\033c" /* erases the screen, whatever state a guest left */

static screen_draw *draw_cell;
static struct screen_cell cells[SHEET_ROWS][SHEET_COLUMNS];
static char line[512]; /* the incomplete line */
static size_t line_length;

static struct terminal terminal;
static struct terminal_cell terminal_cells[SHEET_ROWS * SHEET_COLUMNS];
static bool is_terminal;    /* a guest's, with a cursor */
static bool is_below_text;  /* the next line starts below the cursor */
static uint16_t cursor_row; /* where the cursor was last drawn */

static void draw_changed(size_t row, size_t column, struct screen_cell cell)
{
    struct screen_cell *old = &cells[row][column];
    if (old->character == cell.character && old->attribute == cell.attribute)
        return;
    *old = cell;
    draw_cell(row, column, cell);
}

/* Writes a constant sequence. */
static void write_sequence(const char *sequence)
{
    terminal_write(&terminal, sequence, strlen(sequence));
}

void screen_init(screen_draw *draw)
{
    draw_cell = draw;
    memset(cells, 0, sizeof(cells)); /* differs from blanks, so that all are drawn */
    terminal_init(&terminal, terminal_cells, SHEET_COLUMNS, SHEET_ROWS);
    write_sequence(HIDE_CURSOR);
    is_terminal   = false;
    is_below_text = false;
    line_length   = 0;
    screen_update();
}

/* Moves the cursor to the start of the first row below the text, scrolling. */
static void start_row(void)
{
    if (is_below_text)
        write_sequence("\r\n");
    is_below_text = true;
}

/* Writes the complete line, wrapped at blanks. */
static void write_line(void)
{
    const char *rest = line;

    line[line_length] = '\0';
    line_length       = 0;
    do {
        size_t length = sheet_fitting_length(rest, SHEET_COLUMNS);
        start_row();
        terminal_write(&terminal, rest, length);
        rest += length;
        while (*rest == ' ')
            rest++;
    } while (*rest != '\0');
}

/* Writes text to the terminal, where a line feed needs a carriage return. */
static void write_terminal(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            terminal_write(&terminal, "\r", 1);
        terminal_write(&terminal, &text[i], 1);
    }
}

void screen_write(const char *text, size_t length)
{
    if (draw_cell == NULL)
        return;
    if (is_terminal)
        write_terminal(text, length);
    for (size_t i = 0; !is_terminal && i < length; i++) {
        if (text[i] != '\n')
            line[line_length++] = text[i];
        if (text[i] == '\n' || line_length >= sizeof(line) - 1)
            write_line();
    }
    screen_update();
}

void screen_show(const struct sheet *sheet)
{
    if (draw_cell == NULL)
        return;
    write_sequence(RESET HIDE_CURSOR);
    is_below_text = sheet->rows > 0;
    for (size_t row = 0; row < sheet->rows; row++) {
        TEXT_DECLARE(text, 3 * SHEET_COLUMNS + 32);
        text_append(&text, "\x1B[%zu;1H\x1B[0;%um", row + 1,
                    colors[sheet->row[row].emphasis]);
        sheet_append_row(&text, &sheet->row[row]);
        terminal_write(&terminal, text.buffer, text.length);
    }
    write_sequence("\x1B[0m");
    screen_update();
}

/* Converts a cell's colours to a VGA attribute. */
static uint8_t attribute_of(const struct terminal_cell *cell)
{
    return (uint8_t)((terminal_vga_color(cell->background) & 7) << 4 |
                     terminal_vga_color(cell->foreground));
}

/* Maps a code point to code page 437: ASCII, line drawing and common letters. */
static uint8_t character_of(uint16_t code_point)
{
    static const struct {
        uint16_t code_point;
        uint8_t character;
    } rows[] = {
        {0x2500, 0xC4}, {0x2502, 0xB3}, {0x250C, 0xDA}, {0x2510, 0xBF}, {0x2514, 0xC0},
        {0x2518, 0xD9}, {0x251C, 0xC3}, {0x2524, 0xB4}, {0x252C, 0xC2}, {0x2534, 0xC1},
        {0x253C, 0xC5}, {0x2550, 0xCD}, {0x2551, 0xBA}, {0x2554, 0xC9}, {0x2557, 0xBB},
        {0x255A, 0xC8}, {0x255D, 0xBC}, {0x2580, 0xDF}, {0x2584, 0xDC}, {0x2588, 0xDB},
        {0x2591, 0xB0}, {0x2592, 0xB1}, {0x2593, 0xB2}, {0x25A0, 0xFE}, {0x25C6, 0x04},
        {0x2190, 0x1B}, {0x2191, 0x18}, {0x2192, 0x1A}, {0x2193, 0x19}, {0x2264, 0xF3},
        {0x2265, 0xF2}, {0x03C0, 0xE3}, {0x00A3, 0x9C}, {0x00B0, 0xF8}, {0x00B1, 0xF1},
        {0x00B7, 0xFA}, {0x00C4, 0x8E}, {0x00D6, 0x99}, {0x00DC, 0x9A}, {0x00DF, 0xE1},
        {0x00E4, 0x84}, {0x00E9, 0x82}, {0x00F6, 0x94}, {0x00FC, 0x81}, {0x2022, 0x07},
    };

    if (code_point < 0x7F)
        return (uint8_t)code_point;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].code_point == code_point)
            return rows[i].character;
    }
    return '?';
}

/* Draws a row of the terminal, with the cursor in reverse video. */
static void draw_row(uint16_t row)
{
    const struct terminal_cell *from = terminal_row(&terminal, row);
    bool has_cursor = terminal.is_cursor_visible && terminal.cursor.row == row;

    for (uint16_t column = 0; column < SHEET_COLUMNS; column++) {
        struct screen_cell cell = {character_of(from[column].character),
                                   attribute_of(&from[column])};
        if (has_cursor && terminal.cursor.column == column)
            cell.attribute =
                (uint8_t)((cell.attribute << 4 | cell.attribute >> 4) & 0x7F);
        draw_changed(row, column, cell);
    }
}

void screen_update(void)
{
    if (draw_cell == NULL)
        return;
    for (uint16_t row = 0; row < SHEET_ROWS; row++) {
        bool is_cursors = row == cursor_row || row == terminal.cursor.row;
        if (terminal_test_and_clear_row_changed(&terminal, row) || is_cursors)
            draw_row(row);
    }
    cursor_row = terminal.cursor.row;
}

void screen_pass(const char *bytes, size_t size)
{
    if (draw_cell != NULL && is_terminal)
        terminal_write(&terminal, bytes, size);
}

void screen_start_terminal(terminal_answer *answer)
{
    if (draw_cell == NULL || is_terminal)
        return;
    is_terminal = true;
    terminal_set_answer(&terminal, answer, NULL);
    start_row();
    write_sequence(SHOW_CURSOR);
    screen_update();
}
