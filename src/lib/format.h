/*
 * Formats text into a buffer: the subset of ISO C11, "The fprintf function", that Hymir
 * uses.
 *
 * Conversions %d %i %u %x %X %c %s %p %%, lengths hh h l ll z j t, flags - and 0 and #,
 * width and precision as a number or *. No floating point: the hypervisor does not use
 * the vector registers. Pure; safe on every CPU and in exception handlers.
 */
#ifndef HYMIR_LIB_FORMAT_H
#define HYMIR_LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Formats into buffer, at most size bytes including the NUL, which is always written
 * unless size is 0. Returns the length of the untruncated text without the NUL. An
 * unsupported conversion is copied verbatim.
 */
size_t format_text(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Works like format_text, with the arguments in a va_list. */
size_t format_text_list(char *buffer, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/*
 * Replaces every byte that is not printable ASCII with '?', so that untrusted text cannot
 * break a line or control a terminal.
 */
void text_make_printable(char *text, size_t length);

/*
 * Copies length characters and a NUL to buffer, of at least 4 bytes; if they do not fit
 * in its size, ends with three dots.
 */
void text_copy_shortened(char *buffer, size_t size, const char *text, size_t length);

/* A growing text in the caller's buffer; truncated when full. */
struct text {
    char *buffer; /* NUL-terminated unless size is 0 */
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
