/* See history.h. */
#include "lib/history.h"

#include "lib/string.h"

/* Bytes from offset on that lie in a row, at most length. */
static size_t row_at(const struct history *history, size_t offset, size_t length)
{
    size_t row = history->size - offset % history->size;
    return row < length ? row : length;
}

void history_append(struct history *history, const char *text, size_t length)
{
    while (length > 0) {
        size_t row = row_at(history, history->written, length);
        memcpy(history->buffer + history->written % history->size, text, row);
        history->written += row;
        text += row;
        length -= row;
    }
}

static size_t oldest_line(const struct history *history)
{
    size_t oldest = history->written - history->size;

    for (size_t i = 0; i < HISTORY_LINE_SIZE && i < history->size; i++) {
        if (history->buffer[(oldest + i) % history->size] == '\n')
            return oldest + i + 1;
    }
    return oldest;
}

void history_replay(const struct history *history, history_output *output)
{
    size_t at = history_is_cut(history) ? oldest_line(history) : 0;

    while (at < history->written) {
        size_t row = row_at(history, at, history->written - at);
        output(history->buffer + at % history->size, row);
        at += row;
    }
}
