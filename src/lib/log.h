/*
 * The one log of the hypervisor: lines with a level, kept in memory and shown on the
 * console.
 *
 * Owns the level and the newest text, from which a console that comes up late
 * catches up. Each line is "level: text". Usable from the first instruction of C on every
 * CPU; lines of different CPUs do not mix. A CPU that waits for the log longer than the
 * bound goes ahead without it, so that a stopped CPU never silences the others.
 */
#ifndef HYMIR_LIB_LOG_H
#define HYMIR_LIB_LOG_H

#include "lib/history.h"

#include <stddef.h>

enum log_level {
    LOG_ERROR,   /* Hymir cannot do something it was asked for */
    LOG_WARNING, /* something is odd and Hymir goes on */
    LOG_INFO,    /* what a user wants to see at every boot */
    LOG_DEBUG,   /* what a developer wants to see */
};

/* Takes text to show, of length bytes, with its line ends. */
typedef history_output log_output;

/* The longest line, with its level and its end, in bytes; what is longer is cut. */
#define LOG_LINE_SIZE 256

/* Sets where the log goes from now on. */
void log_set_output(log_output *output);

/* Gives output the lines that are kept, the newest 8 KiB, and says if there were
 * more. */
void log_replay(log_output *output);

/* Gives output a text that is not the log's, with no line of another CPU in between. */
void log_pass(log_output *output, const char *text, size_t length);

/*
 * Sets the least important level that is kept; the others are dropped. LOG_INFO at first.
 */
void log_set_level(enum log_level level);

/* Adds one line; the format has no line end. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Adds one line without a level in front: the lines that scripts rely on, and the
 * register dump of a panic. Such a line is never dropped.
 */
void log_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
