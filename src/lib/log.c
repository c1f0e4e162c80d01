/* See log.h. */
#include "lib/log.h"

#include "lib/format.h"
#include "lib/spinlock.h"

#include <stdarg.h>

#define RING_SIZE 8192

static struct spinlock lock;
static enum log_level least_level = LOG_INFO;
static log_output *console;

static char ring[RING_SIZE];
static size_t
    ring_written; /* bytes ever written; the newest stand below it, modulo RING_SIZE */

static void ring_append(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        ring[ring_written++ % RING_SIZE] = text[i];
}

void log_set_output(log_output *output)
{
    console = output;
}

/* The start of the oldest line that is whole. */
static size_t oldest_line(void)
{
    size_t at = ring_written - RING_SIZE;
    while (at < ring_written && ring[at++ % RING_SIZE] != '\n') {
    }
    return at;
}

void log_replay(log_output *output)
{
    static const char lost[] = "warning: older lines of the log are lost\n";
    size_t start             = 0;

    unsigned int ticket = spinlock_acquire(&lock);
    if (ring_written > RING_SIZE) {
        output(lost, sizeof(lost) - 1);
        start = oldest_line();
    }
    while (start < ring_written) {
        size_t offset = start % RING_SIZE;
        size_t length = ring_written - start;
        if (length > RING_SIZE - offset)
            length = RING_SIZE - offset;
        output(ring + offset, length);
        start += length;
    }
    spinlock_release(&lock, ticket);
}

void log_pass(log_output *output, const char *text, size_t length)
{
    unsigned int ticket = spinlock_acquire(&lock);
    output(text, length);
    spinlock_release(&lock, ticket);
}

void log_set_level(enum log_level level)
{
    least_level = level;
}

static void log_line(const char *level, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void log_line(const char *level, const char *format, va_list arguments)
{
    char line[LOG_LINE_SIZE];
    size_t length = format_text(line, sizeof(line), "%s", level);

    length += format_text_list(line + length, sizeof(line) - length, format, arguments);
    if (length > sizeof(line) - 2)
        length = sizeof(line) - 2;
    text_make_printable(line, length);
    line[length++] = '\n';

    unsigned int ticket = spinlock_acquire(&lock);
    ring_append(line, length);
    if (console != NULL)
        console(line, length);
    spinlock_release(&lock, ticket);
}

// NOLINTBEGIN(bugprone-macro-parentheses): a function cannot be called (name)
#define LOG_FUNCTION(name, level, prefix)    \
    void name(const char *format, ...)       \
    {                                        \
        va_list arguments;                   \
        if (level > least_level)             \
            return;                          \
        va_start(arguments, format);         \
        log_line(prefix, format, arguments); \
        va_end(arguments);                   \
    }

// NOLINTEND(bugprone-macro-parentheses)

LOG_FUNCTION(log_error, LOG_ERROR, "error: ")
LOG_FUNCTION(log_warning, LOG_WARNING, "warning: ")
LOG_FUNCTION(log_info, LOG_INFO, "info: ")
LOG_FUNCTION(log_debug, LOG_DEBUG, "debug: ")
LOG_FUNCTION(log_plain, LOG_ERROR, "")
