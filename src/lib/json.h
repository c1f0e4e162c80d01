/*
 * A streaming JSON writer: no tree, no allocation. RFC 8259.
 *
 * Pure. The caller nests objects and arrays correctly; key is NULL for array elements.
 */
#ifndef HYMIR_LIB_JSON_H
#define HYMIR_LIB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Receives a piece of the text. */
typedef void json_output(const char *text, size_t length);

#define JSON_BUFFER_SIZE 128

/* The longest string value with its NUL, in bytes; longer ones are truncated. */
#define JSON_STRING_SIZE 896

struct json {
    json_output *output;
    bool needs_comma;
    size_t length; /* in the buffer */
    char buffer[JSON_BUFFER_SIZE];
};

/* Starts a text that is passed to output in pieces. */
void json_start(struct json *json, json_output *output);

void json_open_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key);
void json_close_array(struct json *json);

/* Writes a formatted string; non-ASCII bytes are treated as ISO 8859-1. */
void json_string(struct json *json, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes a number; many JSON readers are exact only up to 53 bits. */
void json_number(struct json *json, const char *key, uint64_t number);

void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* Flushes the buffer. */
void json_end(struct json *json);

#endif
