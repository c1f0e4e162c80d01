/*
 * See string.h. Plain loops, because no caller is performance-critical. The build stops
 * the compiler from turning such a loop into a call of memcpy: memcpy would recurse.
 */
#include "lib/string.h"

void *memcpy(void *restrict destination, const void *restrict source, size_t size)
{
    uint8_t *to         = destination;
    const uint8_t *from = source;
    for (size_t i = 0; i < size; i++)
        to[i] = from[i];
    return destination;
}

void *memmove(void *destination, const void *source, size_t size)
{
    uint8_t *to         = destination;
    const uint8_t *from = source;
    if ((uintptr_t)to <= (uintptr_t)from) {
        for (size_t i = 0; i < size; i++)
            to[i] = from[i];
    } else {
        for (size_t i = size; i > 0; i--)
            to[i - 1] = from[i - 1];
    }
    return destination;
}

void *memset(void *destination, int byte, size_t size)
{
    uint8_t *to = destination;
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)byte;
    return destination;
}

int memcmp(const void *left, const void *right, size_t size)
{
    const uint8_t *a = left;
    const uint8_t *b = right;
    for (size_t i = 0; i < size; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0')
        length++;
    return length;
}

int strcmp(const char *left, const char *right)
{
    for (; *left != '\0' && *left == *right; left++)
        right++;
    return (uint8_t)*left - (uint8_t)*right;
}

bool string_starts_with(const char *text, const char *prefix)
{
    while (*prefix != '\0') {
        if (*text++ != *prefix++)
            return false;
    }
    return true;
}

/* Returns the value of a hexadecimal digit, or 16 for any other character. */
static unsigned int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned int)(digit - '0');
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned int)(lower - 'a') + 10 : 16;
}

bool number_parse(const char *text, uint64_t *number)
{
    uint64_t value    = 0;
    unsigned int base = 10;

    if (string_starts_with(text, "0x")) {
        base = 16;
        text += 2;
    }
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        unsigned int digit = digit_value(*text);
        if (digit >= base || value > (UINT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *number = value;
    return true;
}
