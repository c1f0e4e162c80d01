/* See format.h. */
#include "lib/format.h"

#include "lib/string.h"

#include <stdbool.h>
#include <stdint.h>

/* The output buffer: length counts all characters, also those that do not fit. */
struct output {
    char *buffer;
    size_t size;
    size_t length;
};

/* A parsed conversion specification. */
struct conversion {
    bool left, zero, alternative;
    bool has_precision;
    size_t width;
    size_t precision;
    unsigned int size_bytes; /* of an integer argument: 1, 2, 4 or 8 */
};

static void put_character(struct output *output, char character)
{
    if (output->length + 1 < output->size)
        output->buffer[output->length] = character;
    output->length++;
}

static void put_repeated(struct output *output, char character, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_character(output, character);
}

/* A converted argument before padding. */
struct field {
    const char *prefix; /* a sign or 0x */
    size_t zeros;       /* between prefix and body */
    const char *body;
    size_t body_length;
};

/* Writes a field padded to its width: zeros after the prefix, or blanks outside. */
static void put_padded(struct output *output, const struct conversion *conversion,
                       const struct field *field)
{
    size_t prefix_length = strlen(field->prefix);
    size_t length        = prefix_length + field->zeros + field->body_length;
    size_t padding       = conversion->width > length ? conversion->width - length : 0;
    bool zero = conversion->zero && !conversion->left && !conversion->has_precision;

    if (!conversion->left && !zero)
        put_repeated(output, ' ', padding);
    for (size_t i = 0; i < prefix_length; i++)
        put_character(output, field->prefix[i]);
    put_repeated(output, '0', zero ? padding : 0);
    put_repeated(output, '0', field->zeros);
    for (size_t i = 0; i < field->body_length; i++)
        put_character(output, field->body[i]);
    if (conversion->left)
        put_repeated(output, ' ', padding);
}

/* Writes text, ignoring the flag 0 and the precision. */
static void put_text(struct output *output, const struct conversion *conversion,
                     const char *text, size_t length)
{
    struct conversion blank = {.left = conversion->left, .width = conversion->width};
    put_padded(output, &blank,
               &(struct field){.prefix = "", .body = text, .body_length = length});
}

/* Writes a number; the count of digits is its base. */
static void put_number(struct output *output, const struct conversion *conversion,
                       uint64_t magnitude, const char *prefix, const char *digits)
{
    char text[20]; /* 2^64 - 1 has 20 decimal digits */
    size_t position = sizeof(text);
    size_t base     = strlen(digits);

    for (uint64_t rest = magnitude; rest != 0; rest /= base)
        text[--position] = digits[rest % base];
    size_t length  = sizeof(text) - position;
    size_t minimum = conversion->has_precision ? conversion->precision : 1;
    put_padded(output, conversion,
               &(struct field){.prefix      = prefix,
                               .zeros       = minimum > length ? minimum - length : 0,
                               .body        = text + position,
                               .body_length = length});
}

static void put_signed(struct output *output, const struct conversion *conversion,
                       uint64_t bits)
{
    unsigned int shift = 64 - 8 * conversion->size_bytes;
    int64_t value      = (int64_t)(bits << shift) >> shift;
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    put_number(output, conversion, magnitude, value < 0 ? "-" : "", "0123456789");
}

static void put_unsigned(struct output *output, const struct conversion *conversion,
                         uint64_t bits, char kind)
{
    unsigned int shift = 64 - 8 * conversion->size_bytes;
    uint64_t value     = bits << shift >> shift;
    bool prefixed      = conversion->alternative && value != 0;

    if (kind == 'u')
        put_number(output, conversion, value, "", "0123456789");
    else if (kind == 'x')
        put_number(output, conversion, value, prefixed ? "0x" : "", "0123456789abcdef");
    else
        put_number(output, conversion, value, prefixed ? "0X" : "", "0123456789ABCDEF");
}

static void put_string(struct output *output, const struct conversion *conversion,
                       const char *string)
{
    size_t limit  = conversion->has_precision ? conversion->precision : SIZE_MAX;
    size_t length = 0;
    if (string == NULL)
        string = "(null)";
    while (length < limit && string[length] != '\0')
        length++;
    put_text(output, conversion, string, length);
}

/* Reads a number, or an argument for *, and advances *format past it. */
static size_t read_number(const char **format, va_list *arguments, bool *is_negative)
{
    size_t number = 0;
    *is_negative  = false;
    if (**format == '*') {
        int argument = va_arg(*arguments, int);
        (*format)++;
        *is_negative = argument < 0;
        return (size_t)(argument < 0 ? 0 - (int64_t)argument : argument);
    }
    while (**format >= '0' && **format <= '9') {
        number = number * 10 + (size_t)(**format - '0');
        (*format)++;
    }
    return number;
}

/* Reads the length modifier; the sizes are those of the System V ABI for x86-64. */
static unsigned int read_size(const char **format)
{
    unsigned int size = sizeof(int);
    for (;; (*format)++) {
        switch (**format) {
        case 'h':
            size = size == sizeof(short) ? sizeof(char) : sizeof(short);
            break;
        case 'l':
        case 'z':
        case 'j':
        case 't':
            size = sizeof(long);
            break;
        default:
            return size;
        }
    }
}

static struct conversion read_conversion(const char **format, va_list *arguments)
{
    struct conversion conversion = {0};
    bool is_negative;

    for (;; (*format)++) {
        if (**format == '-')
            conversion.left = true;
        else if (**format == '0')
            conversion.zero = true;
        else if (**format == '#')
            conversion.alternative = true;
        else
            break;
    }
    conversion.width = read_number(format, arguments, &is_negative);
    conversion.left  = conversion.left || is_negative;
    if (**format == '.') {
        (*format)++;
        conversion.precision     = read_number(format, arguments, &is_negative);
        conversion.has_precision = !is_negative;
    }
    conversion.size_bytes = read_size(format);
    return conversion;
}

static uint64_t read_integer(const struct conversion *conversion, va_list *arguments)
{
    if (conversion->size_bytes == sizeof(long))
        return va_arg(*arguments, uint64_t);
    return va_arg(*arguments, unsigned int);
}

/* Writes one conversion; format points after its %. Returns its end. */
static const char *put_conversion(struct output *output, const char *format,
                                  va_list *arguments)
{
    const char *start            = format;
    struct conversion conversion = read_conversion(&format, arguments);

    switch (*format) {
    case 'd':
    case 'i':
        put_signed(output, &conversion, read_integer(&conversion, arguments));
        break;
    case 'u':
    case 'x':
    case 'X':
        put_unsigned(output, &conversion, read_integer(&conversion, arguments), *format);
        break;
    case 'p':
        conversion.alternative = true;
        conversion.size_bytes  = sizeof(void *);
        put_unsigned(output, &conversion, va_arg(*arguments, uintptr_t), 'x');
        break;
    case 'c': {
        char character = (char)va_arg(*arguments, int);
        put_text(output, &conversion, &character, 1);
        break;
    }
    case 's':
        put_string(output, &conversion, va_arg(*arguments, const char *));
        break;
    case '%':
        put_character(output, '%');
        break;
    default:
        put_character(output, '%');
        return start;
    }
    return format + 1;
}

size_t format_text_list(char *buffer, size_t size, const char *format, va_list arguments)
{
    struct output output = {.buffer = buffer, .size = size};
    va_list copy;

    va_copy(copy, arguments);
    while (*format != '\0') {
        if (*format == '%')
            format = put_conversion(&output, format + 1, &copy);
        else
            put_character(&output, *format++);
    }
    va_end(copy);
    if (size > 0)
        buffer[output.length < size ? output.length : size - 1] = '\0';
    return output.length;
}

size_t format_text(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_text_list(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

void text_append(struct text *text, const char *format, ...)
{
    va_list arguments;
    size_t available = text->size - text->length;

    va_start(arguments, format);
    size_t length =
        format_text_list(text->buffer + text->length, available, format, arguments);
    va_end(arguments);
    if (available > 0)
        text->length += length < available ? length : available - 1;
}

void text_make_printable(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '?';
    }
}
