/* See json.h. */
#include "lib/json.h"

#include "lib/format.h"

#include <stdarg.h>

void json_start(struct json *json, json_output *output)
{
    *json = (struct json){.output = output};
}

void json_end(struct json *json)
{
    if (json->length > 0)
        json->output(json->buffer, json->length);
    json->length = 0;
}

static void put_character(struct json *json, char character)
{
    json->buffer[json->length++] = character;
    if (json->length == sizeof(json->buffer))
        json_end(json);
}

static void put_text(struct json *json, const char *text)
{
    while (*text != '\0')
        put_character(json, *text++);
}

/* Writes a quoted string with escapes. */
static void put_string(struct json *json, const char *text)
{
    put_character(json, '"');
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        char escape[7];
        if (byte < ' ' || byte > '~') {
            format_text(escape, sizeof(escape), "\\u%04x", byte);
            put_text(json, escape);
            continue;
        }
        if (byte == '"' || byte == '\\')
            put_character(json, '\\');
        put_character(json, *text);
    }
    put_character(json, '"');
}

/* Writes the comma and the key before a value. */
static void begin_value(struct json *json, const char *key)
{
    if (json->needs_comma)
        put_character(json, ',');
    json->needs_comma = true;
    if (key == NULL)
        return;
    put_string(json, key);
    put_character(json, ':');
}

static void open_bracket(struct json *json, const char *key, char bracket)
{
    begin_value(json, key);
    put_character(json, bracket);
    json->needs_comma = false;
}

static void close_bracket(struct json *json, char bracket)
{
    put_character(json, bracket);
    json->needs_comma = true;
}

void json_open_object(struct json *json, const char *key)
{
    open_bracket(json, key, '{');
}

void json_close_object(struct json *json)
{
    close_bracket(json, '}');
}

void json_open_array(struct json *json, const char *key)
{
    open_bracket(json, key, '[');
}

void json_close_array(struct json *json)
{
    close_bracket(json, ']');
}

void json_string(struct json *json, const char *key, const char *format, ...)
{
    char text[JSON_STRING_SIZE];
    va_list arguments;

    va_start(arguments, format);
    format_text_list(text, sizeof(text), format, arguments);
    va_end(arguments);
    begin_value(json, key);
    put_string(json, text);
}

void json_number(struct json *json, const char *key, uint64_t number)
{
    char text[24];

    format_text(text, sizeof(text), "%lu", number);
    begin_value(json, key);
    put_text(json, text);
}

void json_bool(struct json *json, const char *key, bool value)
{
    begin_value(json, key);
    put_text(json, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    begin_value(json, key);
    put_text(json, "null");
}
