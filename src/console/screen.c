/* See screen.h. */
#include "console/screen.h"

#include "lib/string.h"

struct cell {
    char character;
    enum emphasis emphasis;
};

static screen_draw *draw_cell;
static struct cell cells[SHEET_ROWS][SHEET_COLUMNS];
static size_t next_row; /* SHEET_ROWS: the next line scrolls */
static char line[512];  /* as far as it has come */
static size_t line_length;

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
    next_row    = 0;
    line_length = 0;
}

static void scroll(void)
{
    for (size_t row = 0; row + 1 < SHEET_ROWS; row++) {
        for (size_t column = 0; column < SHEET_COLUMNS; column++)
            put(row, column, cells[row + 1][column]);
    }
    clear_rest(SHEET_ROWS - 1, 0);
}

/* Shows length characters, at most a row of them, in the next row. */
static void write_row(const char *text, size_t length)
{
    if (next_row == SHEET_ROWS) {
        scroll();
        next_row--;
    }
    for (size_t i = 0; i < length; i++)
        put(next_row, i, (struct cell){text[i], EMPHASIS_NORMAL});
    next_row++;
}

/* Shows the line that is complete, in as many rows as it needs, broken at blanks. */
static void write_line(void)
{
    const char *rest = line;

    line[line_length] = '\0';
    line_length       = 0;
    do {
        size_t length = sheet_fitting_length(rest, SHEET_COLUMNS);
        write_row(rest, length);
        rest += length;
        while (*rest == ' ')
            rest++;
    } while (*rest != '\0');
}

void screen_write(const char *text, size_t length)
{
    for (size_t i = 0; draw_cell != NULL && i < length; i++) {
        if (text[i] != '\n')
            line[line_length++] = text[i];
        if (text[i] == '\n' || line_length == sizeof(line) - 1)
            write_line();
    }
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
    next_row = sheet->rows;
}
