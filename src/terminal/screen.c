/* See screen.h. */
#include "terminal/screen.h"

#define TAB_WIDTH 8

static uint32_t minimum(uint32_t left, uint32_t right)
{
    return left < right ? left : right;
}

/* Returns the position of the row's first cell. */
static uint32_t row_start(const struct terminal *terminal, uint32_t row)
{
    return row * terminal->columns;
}

static uint32_t cursor_position(const struct terminal *terminal)
{
    return row_start(terminal, terminal->cursor.row) + terminal->cursor.column;
}

/* Marks the rows of the cells from start up to end, at least one, as changed. */
static void mark_changed(struct terminal *terminal, uint32_t start, uint32_t end)
{
    uint32_t last = (end - 1) / terminal->columns;
    for (uint32_t row = start / terminal->columns; row <= last; row++)
        terminal->is_row_changed[row] = true;
}

/*
 * Blanks the cells from start up to end in the pen's colours, not reversed, and cancels a
 * pending wrap.
 */
static void erase_cells(struct terminal *terminal, uint32_t start, uint32_t end)
{
    const struct terminal_pen *pen = &terminal->cursor.pen;
    struct terminal_cell blank     = {' ', pen->foreground, pen->background};

    for (uint32_t i = start; i < end; i++)
        terminal->cells[i] = blank;
    mark_changed(terminal, start, end);
    terminal->cursor.is_wrap_pending = false;
}

/* Shifts the cells from start up to end by distance, filling with blanks. */
static void shift_cells(struct terminal *terminal, uint32_t start, uint32_t end,
                        uint32_t distance, bool is_left)
{
    struct terminal_cell *cells = terminal->cells;

    distance = minimum(distance, end - start);
    for (uint32_t i = start; is_left && i < end - distance; i++)
        cells[i] = cells[i + distance];
    for (uint32_t i = end; !is_left && i > start + distance; i--)
        cells[i - 1] = cells[i - 1 - distance];
    erase_cells(terminal, is_left ? end - distance : start,
                is_left ? end : start + distance);
    mark_changed(terminal, start, end);
}

void terminal_reset(struct terminal *terminal)
{
    *terminal = (struct terminal){
        .cells             = terminal->cells,
        .columns           = terminal->columns,
        .rows              = terminal->rows,
        .answer            = terminal->answer,
        .answer_context    = terminal->answer_context,
        .cursor.pen        = terminal_default_pen,
        .is_cursor_visible = true,
        .is_wrapping       = true,
        .bottom            = (uint16_t)(terminal->rows - 1),
    };
    terminal->saved[false] = terminal->cursor;
    terminal->saved[true]  = terminal->cursor;
    for (uint16_t column = 0; column < terminal->columns; column += TAB_WIDTH)
        terminal->tab_stops[column] = true;
    erase_cells(terminal, 0, row_start(terminal, terminal->rows));
}

void terminal_index(struct terminal *terminal)
{
    terminal->cursor.is_wrap_pending = false;
    if (terminal->cursor.row == terminal->bottom)
        terminal_scroll_up(terminal, 1);
    else if (terminal->cursor.row + 1 < terminal->rows)
        terminal->cursor.row++;
}

void terminal_reverse_index(struct terminal *terminal)
{
    terminal->cursor.is_wrap_pending = false;
    if (terminal->cursor.row == terminal->top)
        terminal_scroll_down(terminal, 1);
    else if (terminal->cursor.row > 0)
        terminal->cursor.row--;
}

/* Scrolls the rows from row to the end of the region. */
static void scroll_from(struct terminal *terminal, uint16_t row, uint16_t count,
                        bool is_up)
{
    shift_cells(terminal, row_start(terminal, row),
                row_start(terminal, terminal->bottom + 1U), row_start(terminal, count),
                is_up);
}

void terminal_scroll_up(struct terminal *terminal, uint16_t count)
{
    scroll_from(terminal, terminal->top, count, true);
}

void terminal_scroll_down(struct terminal *terminal, uint16_t count)
{
    scroll_from(terminal, terminal->top, count, false);
}

static bool is_in_region(const struct terminal *terminal)
{
    return terminal->cursor.row >= terminal->top &&
           terminal->cursor.row <= terminal->bottom;
}

void terminal_insert_rows(struct terminal *terminal, uint16_t count)
{
    if (is_in_region(terminal))
        scroll_from(terminal, terminal->cursor.row, count, false);
}

void terminal_delete_rows(struct terminal *terminal, uint16_t count)
{
    if (is_in_region(terminal))
        scroll_from(terminal, terminal->cursor.row, count, true);
}

/* Returns the position after the last cell of the cursor's row. */
static uint32_t cursor_row_end(const struct terminal *terminal)
{
    return row_start(terminal, terminal->cursor.row + 1U);
}

void terminal_insert_characters(struct terminal *terminal, uint16_t count)
{
    shift_cells(terminal, cursor_position(terminal), cursor_row_end(terminal), count,
                false);
}

void terminal_delete_characters(struct terminal *terminal, uint16_t count)
{
    shift_cells(terminal, cursor_position(terminal), cursor_row_end(terminal), count,
                true);
}

void terminal_erase_characters(struct terminal *terminal, uint16_t count)
{
    uint32_t start = cursor_position(terminal);
    erase_cells(terminal, start, minimum(start + count, cursor_row_end(terminal)));
}

/* Erases a part, numbered as by ED and EL, of the cells from start up to end. */
static void erase_part(struct terminal *terminal, uint32_t start, uint32_t end,
                       uint16_t part)
{
    uint32_t position = cursor_position(terminal);

    if (part <= 2)
        erase_cells(terminal, part == 0 ? position : start,
                    part == 1 ? position + 1 : end);
}

void terminal_erase_row(struct terminal *terminal, uint16_t part)
{
    erase_part(terminal, row_start(terminal, terminal->cursor.row),
               cursor_row_end(terminal), part);
}

void terminal_erase_screen(struct terminal *terminal, uint16_t part)
{
    erase_part(terminal, 0, row_start(terminal, terminal->rows), part);
}

void terminal_put_character(struct terminal *terminal, uint16_t character)
{
    struct terminal_cursor *cursor = &terminal->cursor;

    if (cursor->is_wrap_pending && terminal->is_wrapping) {
        cursor->column = 0;
        terminal_index(terminal);
    }
    if (terminal->is_inserting)
        terminal_insert_characters(terminal, 1);
    uint32_t position         = cursor_position(terminal);
    terminal->cells[position] = terminal_pen_cell(&cursor->pen, character);
    mark_changed(terminal, position, position + 1);
    terminal->last_character = character;
    if (cursor->column + 1 < terminal->columns)
        cursor->column++;
    else
        cursor->is_wrap_pending = terminal->is_wrapping;
}

void terminal_repeat_character(struct terminal *terminal, uint16_t count)
{
    if (terminal->last_character == 0)
        return;
    /* At most one row, so that a short input cannot cause much work. */
    for (uint32_t i = minimum(count, terminal->columns); i > 0; i--)
        terminal_put_character(terminal, terminal->last_character);
}

void terminal_set_column(struct terminal *terminal, uint32_t column)
{
    terminal->cursor.column          = (uint16_t)minimum(column, terminal->columns - 1U);
    terminal->cursor.is_wrap_pending = false;
}

/* Sets the cursor's row on the screen, from 0. */
static void set_row(struct terminal *terminal, uint32_t row)
{
    terminal->cursor.row             = (uint16_t)minimum(row, terminal->rows - 1U);
    terminal->cursor.is_wrap_pending = false;
}

void terminal_set_origin_row(struct terminal *terminal, uint32_t row)
{
    if (terminal->cursor.is_origin_in_region)
        row = minimum(terminal->top + row, terminal->bottom);
    set_row(terminal, row);
}

uint16_t terminal_origin_row(const struct terminal *terminal)
{
    uint16_t origin = terminal->cursor.is_origin_in_region ? terminal->top : 0;
    return (uint16_t)(terminal->cursor.row - origin);
}

void terminal_move_up(struct terminal *terminal, uint16_t count)
{
    uint16_t row   = terminal->cursor.row;
    uint32_t limit = row >= terminal->top ? terminal->top : 0;
    set_row(terminal, row - minimum(count, row - limit));
}

void terminal_move_down(struct terminal *terminal, uint16_t count)
{
    uint16_t row   = terminal->cursor.row;
    uint32_t limit = row <= terminal->bottom ? terminal->bottom : terminal->rows - 1U;
    set_row(terminal, minimum((uint32_t)row + count, limit));
}

void terminal_move_left(struct terminal *terminal, uint16_t count)
{
    uint16_t column = terminal->cursor.column;
    terminal_set_column(terminal, column - minimum(count, column));
}

void terminal_move_right(struct terminal *terminal, uint16_t count)
{
    terminal_set_column(terminal, (uint32_t)terminal->cursor.column + count);
}

void terminal_move_tabs(struct terminal *terminal, uint16_t count)
{
    uint16_t *column = &terminal->cursor.column;

    while (count > 0 && *column + 1 < terminal->columns)
        count -= terminal->tab_stops[++*column];
}

void terminal_move_tabs_back(struct terminal *terminal, uint16_t count)
{
    uint16_t *column = &terminal->cursor.column;

    terminal->cursor.is_wrap_pending = false;
    while (count > 0 && *column > 0)
        count -= terminal->tab_stops[--*column];
}

void terminal_save_cursor(struct terminal *terminal)
{
    terminal->saved[terminal->is_alternative] = terminal->cursor;
}

void terminal_restore_cursor(struct terminal *terminal)
{
    struct terminal_cursor *cursor = &terminal->cursor;

    *cursor = terminal->saved[terminal->is_alternative];
    if (cursor->is_origin_in_region && !is_in_region(terminal))
        terminal_set_origin_row(terminal, 0);
}

void terminal_use_alternative(struct terminal *terminal, bool is_used, bool with_cursor)
{
    if (is_used == terminal->is_alternative)
        return;
    if (is_used && with_cursor)
        terminal_save_cursor(terminal);
    terminal->is_alternative = is_used;
    if (!is_used && with_cursor)
        terminal_restore_cursor(terminal);
    terminal_erase_screen(terminal, 2);
}

void terminal_set_region(struct terminal *terminal, uint32_t top, uint32_t bottom)
{
    bottom = minimum(bottom, terminal->rows - 1U);
    if (top >= bottom)
        return;
    terminal->top    = (uint16_t)top;
    terminal->bottom = (uint16_t)bottom;
    terminal_set_column(terminal, 0);
    terminal_set_origin_row(terminal, 0);
}
