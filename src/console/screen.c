/* See screen.h. */
#include "console/screen.h"

#include "lib/string.h"

struct cell {
    char character;
    enum emphasis emphasis;
};

static screen_draw *draw_cell;
static struct cell cells[SHEET_ROWS][SHEET_COLUMNS];
static size_t cursor_row, cursor_column;

static void put(size_t row, size_t column, struct cell cell)
{
    struct cell *old = &cells[row][column];
    if (old->character == cell.character && old->emphasis == cell.emphasis)
        return;
    *old = cell;
    draw_cell(row, column, cell.character, cell.emphasis);
}

/* Fills a row from column on with blanks. */
static void clear_rest(size_t row, size_t column)
{
    for (; column < SHEET_COLUMNS; column++)
        put(row, column, (struct cell){' ', EMPHASIS_NORMAL});
}

void screen_init(screen_draw *draw)
{
    draw_cell = draw;
    memset(cells, 0, sizeof(cells)); /* no character, so that every blank is drawn */
    for (size_t row = 0; row < SHEET_ROWS; row++)
        clear_rest(row, 0);
    cursor_row    = 0;
    cursor_column = 0;
}

static void scroll(void)
{
    for (size_t row = 0; row + 1 < SHEET_ROWS; row++) {
        for (size_t column = 0; column < SHEET_COLUMNS; column++)
            put(row, column, cells[row + 1][column]);
    }
    clear_rest(SHEET_ROWS - 1, 0);
}

static void new_line(void)
{
    cursor_column = 0;
    if (cursor_row + 1 < SHEET_ROWS)
        cursor_row++;
    else
        scroll();
}

static void write_character(char character)
{
    if (character == '\n') {
        new_line();
        return;
    }
    if (cursor_column == SHEET_COLUMNS)
        new_line();
    put(cursor_row, cursor_column++, (struct cell){character, EMPHASIS_NORMAL});
}

void screen_write(const char *text, size_t length)
{
    for (size_t i = 0; draw_cell != NULL && i < length; i++)
        write_character(text[i]);
}

void screen_show(const struct sheet *sheet)
{
    if (draw_cell == NULL)
        return;
    for (size_t row = 0; row < SHEET_ROWS; row++) {
        size_t column = 0;
        if (row < sheet->rows) {
            for (; sheet->row[row].text[column] != '\0'; column++)
                put(row, column,
                    (struct cell){sheet->row[row].text[column],
                                  sheet->row[row].emphasis});
        }
        clear_rest(row, column);
    }
    cursor_row    = SHEET_ROWS - 1;
    cursor_column = SHEET_COLUMNS;
}
