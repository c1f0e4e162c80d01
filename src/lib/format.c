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
    const char *prefix;      /* of the converted text: a sign or 0x */
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

/* Writes a field padded to its width: zeros after the prefix, or blanks outside. */
static void put_padded(struct output *output, const struct conversion *conversion,
                       size_t zeros, const char *body, size_t length)
{
    const char *prefix = conversion->prefix;
    size_t total       = strlen(prefix) + zeros + length;
    size_t padding     = conversion->width > total ? conversion->width - total : 0;

    if (!conversion->left && !conversion->zero)
        put_repeated(output, ' ', padding);
    while (*prefix != '\0')
        put_character(output, *prefix++);
    put_repeated(output, '0', zeros + (conversion->zero ? padding : 0));
    for (size_t i = 0; i < length; i++)
        put_character(output, body[i]);
    if (conversion->left)
        put_repeated(output, ' ', padding);
}

/* Writes an integer by the conversion d, i, u, x or X. */
static void put_integer(struct output *output, struct conversion conversion,
                        uint64_t bits, char kind)
{
    char text[20]; /* 2^64 - 1 has 20 decimal digits */
    size_t position    = sizeof(text);
    bool is_hex        = kind == 'x' || kind == 'X';
    unsigned int base  = is_hex ? 16 : 10;
    unsigned int shift = 64 - 8 * conversion.size_bytes;
    bool is_negative   = (kind == 'd' || kind == 'i') && (int64_t)(bits << shift) < 0;
    uint64_t value     = (is_negative ? 0 - bits : bits) << shift >> shift;
    const char *digits = kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";

    if (is_negative)
        conversion.prefix = "-";
    if (is_hex && conversion.alternative && value != 0)
        conversion.prefix = kind == 'X' ? "0X" : "0x";
    for (; value != 0; value /= base)
        text[--position] = digits[value % base];
    size_t length   = sizeof(text) - position;
    size_t minimum  = conversion.has_precision ? conversion.precision : 1;
    conversion.zero = conversion.zero && !conversion.left && !conversion.has_precision;
    put_padded(output, &conversion, minimum > length ? minimum - length : 0,
               text + position, length);
}

/* Writes a string up to the precision. */
static void put_string(struct output *output, struct conversion conversion,
                       const char *string)
{
    size_t limit  = conversion.has_precision ? conversion.precision : SIZE_MAX;
    size_t length = 0;

    if (string == NULL)
        string = "(null)";
    while (length < limit && string[length] != '\0')
        length++;
    conversion.zero = false;
    put_padded(output, &conversion, 0, string, length);
}

/* Reads a number, or an argument for *, and advances *format past it. */
static int64_t read_number(const char **format, va_list *arguments)
{
    int64_t number = 0;

    if (**format == '*') {
        (*format)++;
        return va_arg(*arguments, int);
    }
    for (; **format >= '0' && **format <= '9'; (*format)++)
        number = number * 10 + (**format - '0');
    return number;
}

/* Reads the length modifier; the sizes are those of the System V ABI for x86-64. */
static unsigned int read_size(const char **format)
{
    unsigned int size = sizeof(int);

    for (; **format == 'h'; (*format)++)
        size = size == sizeof(short) ? sizeof(char) : sizeof(short);
    for (; **format == 'l' || **format == 'z' || **format == 'j' || **format == 't';
         (*format)++)
        size = sizeof(long);
    return size;
}

static struct conversion read_conversion(const char **format, va_list *arguments)
{
    struct conversion conversion = {.prefix = ""};

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
    int64_t width    = read_number(format, arguments);
    conversion.width = (size_t)(width < 0 ? -width : width);
    conversion.left  = conversion.left || width < 0;
    if (**format == '.') {
        (*format)++;
        int64_t precision        = read_number(format, arguments);
        conversion.precision     = (size_t)precision;
        conversion.has_precision = precision >= 0;
    }
    conversion.size_bytes = read_size(format);
    return conversion;
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
    case 'u':
    case 'x':
    case 'X':
        put_integer(output, conversion,
                    conversion.size_bytes == sizeof(long)
                        ? va_arg(*arguments, uint64_t)
                        : va_arg(*arguments, unsigned int),
                    *format);
        break;
    case 'p':
        conversion.alternative = true;
        conversion.size_bytes  = sizeof(void *);
        put_integer(output, conversion, va_arg(*arguments, uintptr_t), 'x');
        break;
    case 'c': {
        char character  = (char)va_arg(*arguments, int);
        conversion.zero = false;
        put_padded(output, &conversion, 0, &character, 1);
        break;
    }
    case 's':
        put_string(output, conversion, va_arg(*arguments, const char *));
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

void text_copy_shortened(char *buffer, size_t size, const char *text, size_t length)
{
    size_t copied = length < size ? length : size - 1;

    memcpy(buffer, text, copied);
    buffer[copied] = '\0';
    if (copied < length)
        memcpy(buffer + copied - 3, "...", 3);
}
