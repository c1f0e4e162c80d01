/*
 * The newest text of a stream, in a buffer of fixed size: what an output that comes late
 * is given to catch up.
 *
 * Pure; the caller owns the buffer, and keeps it to one CPU at a time.
 */
#ifndef HYMIR_LIB_HISTORY_H
#define HYMIR_LIB_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

/* The longest line that is not cut, with its end, where the text begins with it. */
#define HISTORY_LINE_SIZE 256

struct history {
    char *buffer;
    size_t size;    /* of the buffer, in bytes */
    size_t written; /* bytes ever; the newest stand below, modulo size */
};

/* Takes text, of length bytes, with its line ends. */
typedef void history_output(const char *text, size_t length);

void history_append(struct history *history, const char *text, size_t length);

/* True if more was written than is kept. */
static inline bool history_is_cut(const struct history *history)
{
    return history->written > history->size;
}

/*
 * Gives output what is kept, in at most two parts; if that is not all, from the start of
 * the oldest line that is whole, unless none starts in the first HISTORY_LINE_SIZE bytes.
 */
void history_replay(const struct history *history, history_output *output);

#endif
