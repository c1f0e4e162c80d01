/* See history.h. */
#include "lib/history.h"

#include "lib/string.h"

/* Returns how many bytes from offset on are contiguous, at most length. */
static size_t contiguous_size(const struct history *history, size_t offset, size_t length)
{
    size_t size = history->size - offset % history->size;
    return size < length ? size : length;
}

void history_append(struct history *history, const char *text, size_t length)
{
    while (length > 0) {
        size_t size = contiguous_size(history, history->written, length);
        memcpy(history->buffer + history->written % history->size, text, size);
        history->written += size;
        text += size;
        length -= size;
    }
}

/* Returns the offset of the oldest complete line, or of the oldest byte. */
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
        size_t size = contiguous_size(history, at, history->written - at);
        output(history->buffer + at % history->size, size);
        at += size;
    }
}
