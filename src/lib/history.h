/*
 * A ring buffer of a stream's newest text, replayed to outputs that start late.
 *
 * Pure; the caller owns the buffer and serializes access to it.
 */
#ifndef HYMIR_LIB_HISTORY_H
#define HYMIR_LIB_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

/* How far replay searches for the first line end, in bytes. */
#define HISTORY_LINE_SIZE 256

struct history {
    char *buffer;
    size_t size;    /* of the buffer, in bytes */
    size_t written; /* total bytes appended; modulo size, the next position */
};

/* Receives length bytes of text, including line ends. */
typedef void history_output(const char *text, size_t length);

void history_append(struct history *history, const char *text, size_t length);

/* Returns whether the oldest text has been overwritten. */
static inline bool history_is_cut(const struct history *history)
{
    return history->written > history->size;
}

/*
 * Passes the stored text to output, in at most two pieces. If the oldest text has been
 * overwritten, starts at the first complete line, provided that one begins within
 * HISTORY_LINE_SIZE bytes.
 */
void history_replay(const struct history *history, history_output *output);

#endif
