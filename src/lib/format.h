/*
 * Formatted text into a buffer: the part of ISO C11's "The fprintf function" that Hymir
 * uses.
 *
 * Conversions %d %i %u %x %X %c %s %p %%, lengths hh h l ll z j t, flags - and 0 and #,
 * width and precision as a number or *. There are no floating-point conversions: the
 * hypervisor keeps out of the vector registers. Pure; owns nothing; safe on every CPU and
 * in an exception handler.
 */
#ifndef HYMIR_LIB_FORMAT_H
#define HYMIR_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Writes the text into buffer, at most size bytes with the final NUL, which is always
 * there if size is not 0. Returns the length that the whole text has, without the NUL,
 * whether it fitted or not. A conversion outside the list above is written as it stands.
 */
size_t format_text(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with the arguments in a list. */
size_t format_text_list(char *buffer, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/*
 * Replaces each byte of length that is not printable ASCII by '?': text from outside may
 * otherwise end a line, or steer a terminal.
 */
void text_make_printable(char *text, size_t length);

/* A text that grows in a buffer of the caller's; what does not fit is dropped. */
struct text {
    char *buffer; /* NUL-terminated as long as size is not 0 */
    size_t size;
    size_t length; /* without the NUL; below size */
};

/* Declares an empty text of size bytes. */
#define TEXT_DECLARE(name, bytes)   \
    char name##_buffer[bytes] = ""; \
    struct text name          = {.buffer = name##_buffer, .size = (bytes)}

/* Appends formatted text. */
void text_append(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends the reason for a failure and evaluates to false. */
#define TEXT_FAIL(text, ...) (text_append((text), __VA_ARGS__), false)

#endif
