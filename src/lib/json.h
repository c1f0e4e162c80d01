/*
 * JSON, written as it comes: no tree, no allocation. RFC 8259.
 *
 * Pure. The caller opens and closes objects and arrays in the right order; a value has a
 * key in an object, and NULL in an array.
 */
#ifndef HYMIR_LIB_JSON_H
#define HYMIR_LIB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes a piece of the text. */
typedef void json_output(const char *text, size_t length);

#define JSON_BUFFER_SIZE 128

/* The longest string value, in bytes with its NUL; what is longer is cut. */
#define JSON_STRING_SIZE 896

struct json {
    json_output *output;
    bool needs_comma;
    size_t length; /* in the buffer */
    char buffer[JSON_BUFFER_SIZE];
};

/* Starts a text that goes to output, in pieces. */
void json_start(struct json *json, json_output *output);

void json_open_object(struct json *json, const char *key);
void json_close_object(struct json *json);
void json_open_array(struct json *json, const char *key);
void json_close_array(struct json *json);

/* A string; bytes that are no ASCII count as ISO 8859-1. */
void json_string(struct json *json, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A number; readers may have no more than 53 bits for it. */
void json_number(struct json *json, const char *key, uint64_t number);

void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* Hands over what is still in the buffer. */
void json_end(struct json *json);

#endif
