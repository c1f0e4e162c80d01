/* See log.h. */
#include "lib/log.h"

#include "lib/format.h"
#include "lib/history.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#include <stdarg.h>

#define HISTORY_SIZE 8192

static struct spinlock lock;
static enum log_level least_level = LOG_INFO;
static log_output *console;

static char newest[HISTORY_SIZE];
static struct history history = {.buffer = newest, .size = sizeof(newest)};
static char newest_error[LOG_LINE_SIZE];

void log_set_output(log_output *output)
{
    console = output;
}

void log_replay(log_output *output)
{
    static const char lost[] = "warning: log: older lines were overwritten\n";

    unsigned int ticket = spinlock_acquire(&lock);
    if (history_is_cut(&history))
        output(lost, sizeof(lost) - 1);
    history_replay(&history, output);
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

static const char error_prefix[] = "error: ";

__attribute__((format(printf, 2, 0))) static void
log_line(const char *level, const char *format, va_list arguments)
{
    char line[LOG_LINE_SIZE];
    size_t length = format_text(line, sizeof(line), "%s", level);

    length += format_text_list(line + length, sizeof(line) - length, format, arguments);
    if (length > sizeof(line) - 2)
        length = sizeof(line) - 2;
    text_make_printable(line, length);

    unsigned int ticket = spinlock_acquire(&lock);
    if (level == error_prefix) {
        memcpy(newest_error, line, length);
        newest_error[length] = '\0';
    }
    line[length++] = '\n';
    history_append(&history, line, length);
    if (console != NULL)
        console(line, length);
    spinlock_release(&lock, ticket);
}

// NOLINTBEGIN(bugprone-macro-parentheses): a declarator cannot be parenthesized
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

LOG_FUNCTION(log_error, LOG_ERROR, error_prefix)
LOG_FUNCTION(log_warning, LOG_WARNING, "warning: ")
LOG_FUNCTION(log_info, LOG_INFO, "info: ")
LOG_FUNCTION(log_debug, LOG_DEBUG, "debug: ")
LOG_FUNCTION(log_plain, LOG_ERROR, "")

void log_copy_newest_error(char line[LOG_LINE_SIZE])
{
    unsigned int ticket = spinlock_acquire(&lock);

    memcpy(line, newest_error, LOG_LINE_SIZE);
    spinlock_release(&lock, ticket);
}
