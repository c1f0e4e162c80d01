/*
 * The hypervisor's log: lines with a level, stored in memory and sent to the console.
 *
 * Owns the level and the newest text, which is replayed to a console that starts late.
 * Each line is "level: text". Usable on every CPU from the first line of C; lines of
 * different CPUs do not interleave. The lock has a timeout (spinlock.h), so that a
 * stopped CPU never silences the others.
 */
#ifndef HYMIR_LIB_LOG_H
#define HYMIR_LIB_LOG_H

#include "lib/history.h"

#include <stddef.h>

enum log_level {
    LOG_ERROR,   /* a requested action failed */
    LOG_WARNING, /* something unexpected; Hymir continues */
    LOG_INFO,    /* for users, at every boot */
    LOG_DEBUG,   /* for developers */
};

/* Receives length bytes of text, including line ends. */
typedef history_output log_output;

/* The longest line with its level and line end, in bytes; longer ones are truncated. */
#define LOG_LINE_SIZE 256

/* Sets the output for all further lines. */
void log_set_output(log_output *output);

/* Passes the newest 8 KiB to output, after a warning if older lines were overwritten. */
void log_replay(log_output *output);

/* Passes text to output without adding it to the log, under the log's lock. */
void log_pass(log_output *output, const char *text, size_t length);

/* Sets the least important level to record; initially LOG_INFO. */
void log_set_level(enum log_level level);

/* Logs one line; the format has no line end. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies the newest line of log_error, without its line end; "" if there is none. */
void log_copy_newest_error(char line[LOG_LINE_SIZE]);

/* Logs one line without a level prefix, at any level: script output and panic dumps. */
void log_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
